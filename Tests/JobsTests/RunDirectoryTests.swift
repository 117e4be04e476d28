import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Jobs

@Suite struct RunDirectoryTests {
    private struct Options: Encodable {
        var command = "dance"
        var seed = 1
        var nested = ["rate": 0.5]
    }

    @Test func opensItsOwnRunAgainAndNoOther() throws {
        try withScratchFolder { folder in
            let path = folder + "/run"
            do { _ = try RunDirectory(path, options: Options()) }
            try StoredFile.write([1], to: path + "/log.jsonl")
            do { _ = try RunDirectory(path, options: Options()) }
            let reason = "\(path) was begun with nested.rate = 0.5, not 0.25: use the same options, or a new folder"
            #expect(throws: FileError(path: path, reason: reason)) { try RunDirectory(path, options: Options(nested: ["rate": 0.25])) }
        }
    }

    /// It may have been refused for its options, and then was called with others.
    @Test func aRunThatMadeNothingGivesItsFolderUp() throws {
        try withScratchFolder { folder in
            func open(seed: Int) throws { _ = try RunDirectory(folder, options: Options(seed: seed)) { $0 == "cache" } }
            try open(seed: 1)
            for name in ["states", "cache/of"] { try StoredFolder.create("\(folder)/\(name)") }
            try StoredFile.write([1], to: folder + "/options.yaml")
            try StoredFile.write([], to: folder + "/log.jsonl")
            try open(seed: 2)
            try StoredFolder.create(folder + "/states/0")
            let reason = "\(folder) was begun with seed = 2, not 1: use the same options, or a new folder"
            #expect(throws: FileError(path: folder, reason: reason)) { try open(seed: 1) }
            try open(seed: 2)
        }
    }

    /// Other programs have files of that name, too: an autoencoder's folder, for one.
    @Test func anothersConfigurationIsNotOverwritten() throws {
        try withScratchFolder { folder in
            let bytes = Array("{\"seed\": 1}".utf8)
            try StoredFile.write(bytes, to: folder + "/config.json")
            let reason = "\(folder) was begun with command = none, not dance: use the same options, or a new folder"
            #expect(throws: FileError(path: folder, reason: reason)) { try RunDirectory(folder, options: Options()) }
            #expect(try StoredFile.read(folder + "/config.json") == bytes)
        }
    }

    @Test func oneFileByTwoNamesIsTheSameOption() throws {
        struct Options: Encodable {
            var command = "dance"
            var latents: String
        }
        try withScratchFolder { folder in
            try StoredFolder.create(folder + "/latents")
            try StoredFolder.create(folder + "/others")
            func open(_ latents: String) throws { _ = try RunDirectory(folder + "/run", options: Options(latents: latents)) }
            try open(folder + "/latents")
            try StoredFile.write([1], to: folder + "/run/log.jsonl")
            try open(folder + "/./latents/")
            try open(folder + "/others/../latents")
            for other in ["/others", "/missing"] { #expect(throws: FileError.self) { try open(folder + other) } }
        }
    }

    @Test func aRunMayGrowAndItsResultStandsAside() throws {
        struct Options: Encodable {
            var command = "dance"
            var steps: Int
            var seed = 1
        }
        try withScratchFolder { folder in
            let growth = RunDirectory.Growth(of: ["steps"], replacing: ["result"])
            func open(_ options: Options) throws -> [String: Int] {
                let run = try RunDirectory(folder, options: options, growth: growth)
                return run.grownFrom
            }
            #expect(try open(Options(steps: 5)) == [:])
            for (steps, before) in [(7, 5), (9, 7)] {
                try StoredFile.write([UInt8(before)], to: folder + "/result")
                #expect(try open(Options(steps: steps)) == ["steps": before])
                #expect(try StoredFile.read(folder + "/result-before") == [UInt8(before)])
                #expect(!StoredFile.exists(folder + "/result"))
            }
            #expect(try open(Options(steps: 9)) == [:])
            let reason = "\(folder) was begun with steps = 9, not 8: use the same options, or a new folder"
            #expect(throws: FileError(path: folder, reason: reason)) { try open(Options(steps: 8)) }
            #expect(throws: FileError.self) { try open(Options(steps: 10, seed: 2)) }
        }
    }

    @Test func refusesASecondProcess() throws {
        try withScratchFolder { folder in
            let first = try RunDirectory(folder, options: Options())
            #expect(throws: FileError(path: folder, reason: "\(folder) is in use by another process")) {
                try RunDirectory(folder, options: Options())
            }
            withExtendedLifetime(first) {}
        }
    }

    @Test func refusesAFolderThatIsNoRun() throws {
        try withScratchFolder { folder in
            try StoredFile.write([1], to: folder + "/holiday.jpg")
            let reason = "\(folder) is not empty and is not a run's folder: choose a new one"
            #expect(throws: FileError(path: folder, reason: reason)) { try RunDirectory(folder, options: Options()) }
        }
    }

    @Test func statesAppearWholeAndReplaceOlderOnes() throws {
        try withScratchFolder { folder in
            let run = try RunDirectory(folder, options: Options())
            let states = TrainingStates(of: run)
            #expect(try states.newest() == nil)
            try states.save([("x", Tensor([1, 2], shape: [2]))], step: 9)
            try states.save([("x", Tensor([3, 4], shape: [2]))], step: 10)
            // What a killed trainer leaves behind is hidden and never read.
            try StoredFolder.create(folder + "/states/.11.revq-draft")
            let newest = try #require(try states.newest())
            #expect(newest.step == 10)
            #expect(try newest.tensors.tensor("x").values == [3, 4])
            #expect(try StoredFolder.names(in: folder + "/states") == [".11.revq-draft", "10"])
            try states.save([("x", Tensor([5, 6], shape: [2]))], step: 12)
            #expect(try StoredFolder.names(in: folder + "/states") == ["12"])
        }
    }
}
