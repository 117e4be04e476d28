import TokenizerCore
import Testing

@testable import Training

@Suite struct RunDirectoryTests {
    private struct Options: Encodable {
        var seed = 1
        var nested = ["rate": 0.5]
    }

    @Test func opensItsOwnRunAgainAndNoOther() throws {
        try withScratchFolder { folder in
            let path = folder + "/run"
            do { _ = try RunDirectory(path, options: Options()) }
            do { _ = try RunDirectory(path, options: Options()) }
            let reason = "\(path) was begun with nested.rate = 0.5, not 0.25: use the same options, or a new folder"
            #expect(throws: FileError(path: path, reason: reason)) { try RunDirectory(path, options: Options(nested: ["rate": 0.25])) }
        }
    }

    @Test func refusesASecondTrainer() throws {
        try withScratchFolder { folder in
            let first = try RunDirectory(folder, options: Options())
            #expect(throws: FileError(path: folder, reason: "\(folder) is in use by another trainer")) {
                try RunDirectory(folder, options: Options())
            }
            withExtendedLifetime(first) {}
        }
    }

    @Test func refusesAFolderThatIsNoRun() throws {
        try withScratchFolder { folder in
            try StoredFile.write([1], to: folder + "/holiday.jpg")
            let reason = "\(folder) is not empty and is not a training run: choose a new folder"
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
