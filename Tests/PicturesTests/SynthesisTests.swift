import TestSupport
import Testing

@testable import Files
@testable import Images
@testable import Pictures

@Suite struct SynthesisTests {
    @Test func fillsAFolderAndCompletesIt() throws {
        try withScratchFolder { folder in
            #expect(try synthesis(folder, count: 3).run(.silent) == 3)
            let first = try StoredFile.read(folder + "/00000000.png")
            // A file that a power failure cut short is made again, the others are left alone.
            try StoredFile.write(Array(first.dropLast(20)), to: folder + "/00000000.png")
            #expect(try synthesis(folder, count: 5).run(.silent) == 5)
            #expect(try StoredFile.read(folder + "/00000000.png") == first)
            #expect(try StoredFolder.names(in: folder) == (0..<5).map { "0000000\($0).png" } + ["synthesis.json"])
            #expect(try ImageDecoder.decode(first) == ProceduralImages(seed: 4, side: 32).image(at: 0))
        }
    }

    @Test func refusesAFolderOfAnotherKind() throws {
        try withScratchFolder { folder in
            _ = try synthesis(folder, count: 1).run(.silent)
            #expect(throws: FileError(path: folder, reason: "\(folder) holds pictures of seed 4, not 5: choose a new folder")) {
                try synthesis(folder, count: 1, seed: 5).run(.silent)
            }
            #expect(throws: FileError(path: folder, reason: "\(folder) holds pictures of size 32, not 48: choose a new folder")) {
                try synthesis(folder, count: 1, size: 48).run(.silent)
            }
            try StoredFile.write([0x7B], to: folder + "/synthesis.json")
            #expect(throws: FileError.self) { try synthesis(folder, count: 1).run(.silent) }
        }
    }

    @Test func refusesAFolderWithOtherFiles() throws {
        try withScratchFolder { folder in
            try StoredFile.write([1], to: folder + "/holiday.jpg")
            let reason = "\(folder) is not empty and has no synthesis.json: choose a new folder"
            #expect(throws: FileError(path: folder, reason: reason)) { try synthesis(folder, count: 1).run(.silent) }
        }
    }

    @Test func refusesImpossibleNumbers() {
        #expect(throws: FileError.self) { try Synthesis(directory: "x", count: 0, size: 32, seed: 0) }
        #expect(throws: FileError.self) { try Synthesis(directory: "x", count: 1, size: 31, seed: 0) }
    }

    private func synthesis(_ folder: String, count: Int, size: Int = 32, seed: UInt64 = 4) throws -> Synthesis {
        try Synthesis(directory: folder, count: count, size: size, seed: seed)
    }
}
