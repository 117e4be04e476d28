import TestSupport
import Testing

@testable import Files
@testable import Pictures

/// The archives were made by Python's tarfile.
@Suite struct TarArchiveTests {
    private static let long = String(repeating: "deep/", count: 20) + String(repeating: "n", count: 60) + ".png"
    private static let longer = String(repeating: "folder/", count: 20) + String(repeating: "m", count: 160) + ".jpg"

    @Test(arguments: [
        ("ustar", [TarArchiveTests.long]), ("gnu", [TarArchiveTests.long, TarArchiveTests.longer]),
        ("pax", [TarArchiveTests.long, TarArchiveTests.longer, "münze.png"]),
    ])
    func findsMembers(format: String, names: [String]) throws {
        let path = Fixture.path(format + ".tar")
        let archive = try TarArchive(path)
        #expect(archive.members.map(\.name) == ["0001.jpg", "0001.json", "._0001.jpg"] + names)
        let file = try ReadableFile(path)
        #expect(String(decoding: try file.read(archive.members[1].range), as: UTF8.self) == #"{"caption": "none"}"#)
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = try StoredFile.read(Fixture.path("pax.tar"))
        let end = try #require(try TarArchive(Fixture.path("pax.tar")).members.last).range.upperBound
        for count in stride(from: 1, to: (end + 511) / 512 * 512, by: 97) {
            let error = #expect(throws: FileError.self) { try archive(Array(bytes.prefix(count))) }
            #expect(error!.reason.contains("truncated") || count < 512, "\(count): \(error!.reason)")
        }
    }

    @Test func damagedHeadersAreRefused() throws {
        let bytes = try StoredFile.read(Fixture.path("gnu.tar"))
        // The second header follows the folder's, which has no data.
        for position in [512, 600, 512 + 124, 512 + 148, 512 + 157] {
            var damaged = bytes
            damaged[position] ^= 1
            let error = #expect(throws: FileError.self) { try archive(damaged) }
            #expect(error!.reason.hasSuffix("is damaged: there is no tar header at byte 512"))
        }
        let other = #expect(throws: FileError.self) { try archive([0x1F, 0x8B] + [UInt8](repeating: 7, count: 4096)) }
        #expect(other!.reason.hasSuffix("is no uncompressed tar archive"))
    }

    @Test func hostileSizesAreRefused() throws {
        let tail = [UInt8](repeating: 0, count: 1024)
        for size in ["77777777777", "\u{80}", "\u{FF}"] {
            // 0x80 announces a binary number, of which the last byte is the largest that fits; 0xFF a negative one.
            let scalars = size.unicodeScalars.map { UInt8($0.value) }
            let field = scalars.count == 1 ? scalars + [UInt8](repeating: 0xFF, count: 11) : scalars + [0]
            #expect(throws: FileError.self) { try archive(header("a.png", size: field) + tail) }
        }
        let record = Array("99 size=92233720368547758070\n".utf8)
        #expect(throws: FileError.self) { try archive(extended(record) + header("a.png") + tail) }
        for text in ["28 size=9223372036854775807\n", "11 size=-1\n", "12 size=abc\n"] {
            #expect(throws: FileError.self, "\(text)") { try archive(extended(Array(text.utf8)) + header("a.png") + tail) }
        }
        for text in ["9999 path=x\n", "0 path=x\n", "path=x\n", "9 path:x\n", "9 path=xy"] {
            let error = #expect(throws: FileError.self) { try archive(extended(Array(text.utf8)) + header("a.png") + tail) }
            #expect(error!.reason.contains("is not made of lines"))
        }
    }

    @Test func sparseFilesAreRefused() throws {
        let reason = "holds a sparse file, of which only a part is stored: pack it without --sparse"
        let bySparseType = #expect(throws: FileError.self) { try archive(header("a.png", type: "S")) }
        #expect(bySparseType!.reason.hasSuffix(reason))
        let byKeyword = #expect(throws: FileError.self) { try archive(extended(Array("22 GNU.sparse.major=1\n".utf8)) + header("a.png")) }
        #expect(byKeyword!.reason.hasSuffix(reason))
    }

    @Test func namesThatLeadElsewhereAreOnlyNames() throws {
        let tail = [UInt8](repeating: 0, count: 512)
        #expect(try archive(header("../../etc/x.png") + header("a\u{1B}[2Jb.png") + tail) == ["../../etc/x.png", "a\u{FFFD}[2Jb.png"])
        #expect(try archive(header("/a.png", type: "1", size: Array("00000077777\0".utf8)) + header("b.png") + tail) == ["b.png"])
    }

    /// The names in an archive of these bytes.
    @discardableResult private func archive(_ bytes: [UInt8]) throws -> [String] {
        try withScratchFolder { folder in
            try StoredFile.write(bytes, to: folder + "/x.tar", .relaxed)
            return try TarArchive(folder + "/x.tar").members.map(\.name)
        }
    }

    private func extended(_ data: [UInt8]) -> [UInt8] {
        let size = String(data.count, radix: 8)
        let field = Array((String(repeating: "0", count: 11 - size.count) + size + "\0").utf8)
        return header("pax", type: "x", size: field) + data + [UInt8](repeating: 0, count: 512 - data.count)
    }

    /// A POSIX header with a right checksum.
    private func header(_ name: String, type: Unicode.Scalar = "0", size: [UInt8] = Array("00000000000\0".utf8)) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        block.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        block.replaceSubrange(124..<136, with: size)
        block[156] = UInt8(type.value)
        block.replaceSubrange(257..<265, with: "ustar\u{0}00".utf8)
        block.replaceSubrange(148..<156, with: repeatElement(32, count: 8))
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        block.replaceSubrange(148..<156, with: (String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8)
        return block
    }
}
