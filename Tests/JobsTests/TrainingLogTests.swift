import TestSupport
import Testing

@testable import Files
@testable import Jobs

@Suite struct TrainingLogTests {
    @Test func dropsLinesOfLostWork() throws {
        try withScratchFolder { folder in
            let path = folder + "/log.jsonl"
            do {
                let log = try TrainingLog(path, resumedAt: 0)
                for step in 1...4 { try log.append(.init(step: step, values: ["loss": 0.5])) }
            }
            // The last line of a killed process may be cut off.
            try StoredFile.write(try StoredFile.read(path) + Array("{\"loss\":0.".utf8), to: path)
            let log = try TrainingLog(path, resumedAt: 2)
            try log.append(.init(step: 3, values: ["loss": 0.25, "rate": .infinity]))
            try log.sync()
            let text = String(decoding: try StoredFile.read(path), as: UTF8.self)
            #expect(text == "{\"loss\":0.5,\"step\":1}\n{\"loss\":0.5,\"step\":2}\n{\"loss\":0.25,\"step\":3}\n")
        }
    }
}
