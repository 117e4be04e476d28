import Glibc
import TestSupport
import Testing

@testable import Files

@Suite struct FileContentsTests {
    private let folder = ScratchFolder()
    private let bytes = (0..<3 << 20 | 5).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    private func path() throws -> String {
        try StoredFile.write(bytes, to: folder.path + "/a", .relaxed)
        return folder.path + "/a"
    }

    @Test func bothHaveTheFilesBytes() throws {
        let file = try ReadableFile(path())
        #expect(try FileContents(mapping: file).withBytes { Array($0) } == bytes)
        #expect(try FileContents(copying: file).withBytes { Array($0) } == bytes)
        #expect(try FileContents(mapping: file).isMapped && !FileContents(copying: file).isMapped)
    }

    @Test func aCopyStaysWhatItWas() throws {
        let path = try path()
        let copy = try FileContents(copying: ReadableFile(path))
        let descriptor = open(path, O_WRONLY)
        defer { close(descriptor) }
        #expect(pwrite(descriptor, [UInt8](repeating: 0, count: 100), 100, 0) == 100)
        #expect(ftruncate(descriptor, 0) == 0)
        #expect(copy.withBytes { Array($0) } == bytes)
    }

    @Test func digestsOfFileAndContentsAreEqual() throws {
        let file = try ReadableFile(path())
        let digest = FileDigest(contents: bytes)
        #expect(try FileDigest(of: file) == digest)
        #expect(try FileDigest(of: FileContents(mapping: file)) == digest)
        #expect(try FileDigest(of: FileContents(copying: file)) == digest)
    }

    enum Reader: CaseIterable {
        case copy, digest, digestOfMapping

        func read(_ file: ReadableFile, while goesOn: () -> Bool) throws {
            switch self {
            case .copy: _ = try FileContents(copying: file, goesOn: goesOn)
            case .digest: _ = try FileDigest(of: file, goesOn: goesOn)
            case .digestOfMapping: _ = try FileDigest(of: FileContents(mapping: file), goesOn: goesOn)
            }
        }
    }

    @Test(arguments: [Reader.copy, .digest])
    func aFileCutShortWhileItIsReadIsAnErrorAndNoSignal(_ reader: Reader) throws {
        let file = try ReadableFile(path())
        let cut = FileError(path: file.path, reason: "\(file.path) was cut short while it was read")
        #expect(throws: cut) { try reader.read(file) { truncate(file.path, 1 << 20) == 0 } }
    }

    @Test(arguments: Reader.allCases)
    func everyReaderStopsBetweenBlocks(_ reader: Reader) throws {
        let file = try ReadableFile(path())
        for last in 1...4 {
            var asked = 0
            #expect(throws: FileError.stopped(file.path)) {
                try reader.read(file) {
                    asked += 1
                    return asked < last
                }
            }
            #expect(asked == last)
        }
    }

    @Test func anEmptyFileHasNoContents() throws {
        try StoredFile.write([], to: folder.path + "/empty", .relaxed)
        let file = try ReadableFile(folder.path + "/empty")
        #expect(throws: FileError(file.path, "is empty")) { try FileContents(mapping: file) }
        #expect(throws: FileError(file.path, "is empty")) { try FileContents(copying: file) }
    }
}
