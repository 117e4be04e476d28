import TestSupport
import Testing

@testable import Files
@testable import Fitting

/// The archives were written by `torch.save` and, with other features, by Python's zipfile.
@Suite struct StoredZipTests {
    private static let preprocessor = Fixture.path("published/preprocessor.pth")

    @Test func readsWhatPyTorchWrites() throws {
        let zip = try StoredZip(Self.preprocessor)
        #expect(zip.entries.keys.filter { $0.contains("/data/") }.sorted() == ["preprocessor/data/0", "preprocessor/data/1"])
        #expect(String(decoding: try zip.bytes(of: zip.entries["preprocessor/byteorder"]!), as: UTF8.self) == "little")
    }

    @Test func readsZip64() throws {
        let zip = try StoredZip(Fixture.path("zip64.zip"))
        #expect(zip.entries.count == 2)
        #expect(try zip.bytes(of: zip.entries["second"]!) == Array("two".utf8))
    }

    @Test func compressedEntriesAreRefused() throws {
        let path = Fixture.path("deflated.zip")
        let reason = "\(path) is refused: its entry data.pkl is compressed (method 8); PyTorch stores entries as they are"
        #expect(throws: FileError(path: path, reason: reason)) { try StoredZip(path) }
    }

    @Test func truncatedArchivesAreRefused() throws {
        let bytes = try StoredFile.read(Self.preprocessor)
        for count in stride(from: 1, to: bytes.count, by: 61) { #expect(throws: FileError.self) { try open(Array(bytes.prefix(count))) } }
        // Its front is missing: all offsets are too large, or lead to something else.
        for count in stride(from: 1, to: bytes.count, by: 61) { #expect(throws: FileError.self) { try open(Array(bytes.dropFirst(count))) } }
    }

    @Test func damageIsFoundByTheChecksum() throws {
        let zip = try StoredZip(Self.preprocessor)
        let entry = zip.entries["preprocessor/data/1"]!
        var bytes = try StoredFile.read(Self.preprocessor)
        bytes[entry.range.lowerBound + 100] ^= 4
        try withScratchFolder { folder in
            let path = folder + "/x.pth"
            try StoredFile.write(bytes, to: path)
            let reason = "\(path) is damaged: the bytes from \(entry.range.lowerBound) on do not have their checksum"
            #expect(throws: FileError(path: path, reason: reason)) { try PyTorchFile(path).tensors().tensor("std") }
        }
    }

    /// The directory's records of the two storages, made to say other things.
    @Test func overlappingAndImpossibleEntriesAreRefused() throws {
        let bytes = try StoredFile.read(Self.preprocessor)
        let records = bytes.indices.dropLast(4).filter { bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 1, 2]) }
        let storages = records.filter { String(decoding: bytes[$0 + 46..<$0 + 46 + 18], as: UTF8.self) == "preprocessor/data/" }
        #expect(storages.count == 2)
        var shared = bytes
        shared.replaceSubrange(storages[1] + 42..<storages[1] + 46, with: bytes[storages[0] + 42..<storages[0] + 46])
        shared[storages[1] + 46 + 18] = UInt8(ascii: "0")
        #expect(throws: FileError.self) { try open(shared) }
        for (offset, width) in [(8, 2), (10, 2), (20, 4), (24, 4), (28, 2), (42, 4)] {
            var hostile = bytes
            for position in storages[0] + offset..<storages[0] + offset + width { hostile[position] = 0xFD }
            #expect(throws: FileError.self, "field at \(offset)") { try open(hostile) }
        }
        // More entries than there are, and a directory beyond the file.
        for (offset, width) in [(10, 2), (12, 4), (16, 4)] {
            var hostile = bytes
            for position in bytes.count - 22 + offset..<bytes.count - 22 + offset + width { hostile[position] = 0xFD }
            #expect(throws: FileError.self, "end at \(offset)") { try open(hostile) }
        }
    }

    @Test func everyFlippedBitIsSurvived() throws {
        let bytes = try StoredFile.read(Fixture.path("zip64.zip"))
        try withScratchFolder { folder in
            for position in bytes.indices {
                var damaged = bytes
                damaged[position] ^= 1 << (position % 8)
                try StoredFile.write(damaged, to: folder + "/x", .relaxed)
                if let zip = try? StoredZip(folder + "/x") { for entry in zip.entries.values { _ = try? zip.bytes(of: entry) } }
            }
        }
    }

    /// `python -c "import os, pickle; …"` made these pickles; PyTorch would have run them.
    @Test func aPickleThatCallsCodeIsRefused() throws {
        let path = Fixture.path("hostile.pth")
        let reason = "\(path) is refused: the pickle names posix.system, which is neither a tensor nor an OrderedDict"
        #expect(throws: FileError(path: path, reason: reason)) { try PyTorchFile(path) }
    }

    @discardableResult private func open(_ bytes: [UInt8]) throws -> StoredZip {
        try withScratchFolder { folder in
            try StoredFile.write(bytes, to: folder + "/x.pth", .relaxed)
            return try StoredZip(folder + "/x.pth")
        }
    }
}
