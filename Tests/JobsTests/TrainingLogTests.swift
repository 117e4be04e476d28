import TestSupport
import Testing

@testable import Files
@testable import Jobs

@Suite struct TrainingLogTests {
    @Test func dropsLinesOfLostWork() throws {
        try withScratchFolder { folder in
            let path = folder + "/log.jsonl"
            do {
                let log = try TrainingLog(path, resumedAt: 0) { .zero }
                for step in 1...4 { try log.append(step: step, ["loss": 0.5]) }
            }
            // The last line of a killed process may be cut off.
            try StoredFile.write(try StoredFile.read(path) + Array("{\"loss\":0.".utf8), to: path)
            let log = try TrainingLog(path, resumedAt: 2) { .zero }
            try log.append(step: 3, ["loss": 0.25, "rate": .infinity])
            try log.sync()
            let text = String(decoding: try StoredFile.read(path), as: UTF8.self)
            #expect(
                text == "{\"loss\":0.5,\"seconds\":0,\"step\":1}\n{\"loss\":0.5,\"seconds\":0,\"step\":2}\n{\"loss\":0.25,\"seconds\":0,\"step\":3}\n"
            )
        }
    }

    /// Of the run, not of this call; measurements between steps are no work.
    @Test func linesSayHowLongTheRunHasTakenAndHowFastItIs() throws {
        try withScratchFolder { folder in
            let path = folder + "/log.jsonl"
            for (resumed, step) in [(0, 1), (1, 2)] {
                var now = Duration.zero
                let log = try TrainingLog(path, resumedAt: resumed) { now }
                now = .seconds(2)
                try log.append(step: step, images: 64, ["loss": 0.5])
                now = .seconds(3)
                try log.append(step: step, ["held_out": 1])
            }
            let entries = try TrainingLog.entries(path)
            #expect(entries.map { $0.values["seconds"] } == [2, 3, 5, 6])
            #expect(entries.map { $0.values["images_per_second"] } == [32, nil, 32, nil])
            #expect(entries[0].figures == .init(step: 1, values: ["loss": 0.5]))
        }
    }
}
