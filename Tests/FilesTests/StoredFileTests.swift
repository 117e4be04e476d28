import Glibc
import Synchronization
import Testing

@testable import Compute
@testable import Files

@Suite struct StoredFileTests {
    @Test func writesReadsAndReplaces() throws {
        try inScratchFolder { folder in
            let path = folder + "/a.bin"
            try StoredFile.write([1, 2, 3], to: path)
            try StoredFile.write([4], to: path, .relaxed)
            #expect(try StoredFile.read(path) == [4])
            #expect(try StoredFolder.names(in: folder) == ["a.bin"])
        }
    }

    @Test func saysWhatIsWrong() throws {
        try inScratchFolder { folder in
            try StoredFile.write([1, 2, 3], to: folder + "/a")
            #expect(throws: FileError(path: folder + "/a", reason: "\(folder)/a has 3 bytes, more than the 2 allowed here")) {
                try StoredFile.read(folder + "/a", maximumBytes: 2)
            }
            #expect(throws: FileError(path: folder + "/b", reason: "cannot open \(folder)/b: No such file or directory")) {
                try StoredFile.read(folder + "/b")
            }
            #expect(throws: FileError(path: folder, reason: "\(folder) is not a regular file")) { try StoredFile.read(folder) }
            #expect(throws: FileError(path: folder + "/a", reason: "\(folder)/a exists and is not a folder")) {
                try StoredFolder.create(folder + "/a")
            }
        }
    }

    @Test func stagedFolderAppearsWholeOrNotAtAll() throws {
        try inScratchFolder { folder in
            do {
                let abandoned = try StagedFolder(for: folder + "/abandoned")
                try StoredFile.write([1], to: abandoned.path + "/x")
            }
            let staged = try StagedFolder(for: folder + "/deep/published")
            try StoredFile.write([1], to: staged.path + "/x")
            #expect(try StoredFolder.names(in: folder + "/deep").filter { !$0.hasPrefix(".") } == [])
            try staged.publish()
            #expect(try StoredFolder.names(in: folder) == ["deep"])
            #expect(try StoredFolder.names(in: folder + "/deep") == ["published"])
            #expect(try StoredFile.read(folder + "/deep/published/x") == [1])
        }
    }

    @Test func stagedFolderNeverOverwrites() throws {
        try inScratchFolder { folder in
            try StoredFolder.create(folder + "/taken")
            #expect(throws: FileError.self) {
                let staged = try StagedFolder(for: folder + "/taken")
                try staged.publish()
            }
            #expect(try StoredFolder.names(in: folder) == ["taken"])
        }
    }

    @Test func whatAKilledWriterLeftIsOverwritten() throws {
        try inScratchFolder { folder in
            let left = try FileLock(file: folder + "/.a.revq-draft", waits: true)
            #expect(write(left!.descriptor, "much longer than what follows", 29) == 29)
            _ = consume left
            try StoredFile.write([1, 2], to: folder + "/a")
            #expect(try StoredFile.read(folder + "/a") == [1, 2])
            #expect(try StoredFolder.names(in: folder) == ["a"])
        }
    }

    @Test func writersOfOneFileTakeTurns() throws {
        try inScratchFolder { folder in
            let failures = Atomic<Int>(0)
            Workers.forEach(64) { piece in
                do {
                    try StoredFile.write(Array(repeating: UInt8(piece), count: 1000 + piece), to: folder + "/a", .relaxed)
                } catch {
                    failures.add(1, ordering: .relaxed)
                }
            }
            #expect(failures.load(ordering: .relaxed) == 0)
            let bytes = try StoredFile.read(folder + "/a")
            #expect(bytes == Array(repeating: bytes[0], count: 1000 + Int(bytes[0])))
            #expect(try StoredFolder.names(in: folder) == ["a"])
        }
    }

    @Test func draftsOfKilledProcessesAreRemovedAndLiveOnesAreNot() throws {
        try inScratchFolder { folder in
            for name in [".old.revq-draft", ".user.draft"] {
                try StoredFolder.create("\(folder)/\(name)/deep")
                try StoredFile.write([1], to: "\(folder)/\(name)/deep/x")
            }
            let live = try StagedFolder(for: folder + "/live")
            let other = try StagedFolder(for: folder + "/other")
            #expect(try StoredFolder.names(in: folder) == [".live.revq-draft", ".other.revq-draft", ".user.draft"])
            let busy = FileError(path: folder + "/live", reason: "\(folder)/live is being made by another process")
            #expect(throws: busy) { _ = try StagedFolder(for: folder + "/live").path }
            try live.publish()
            try other.publish()
            #expect(try StoredFolder.names(in: folder) == [".user.draft", "live", "other"])
        }
    }

    @Test func pathsSplitAtTheLastSlash() {
        #expect(PathName.folder(of: "a/b/c/") == "a/b")
        #expect(PathName.last(of: "a/b/c/") == "c")
        #expect(PathName.folder(of: "c") == ".")
        #expect(PathName.folder(of: "/c") == "/")
    }

    private func inScratchFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/revq-test-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { StoredFolder.remove(folder) }
        try body(folder)
    }
}
