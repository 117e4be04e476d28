import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Pictures

@Suite struct ImageSourceTests {
    @Test func listsPicturesBelowInByteOrder() throws {
        try withScratchFolder { folder in
            try StoredFolder.create(folder + "/b/deep")
            for name in ["b/deep/x.JPEG", "b/a.png", "c.jpg", "A.png", "notes.txt", ".hidden.png", "png"] {
                try StoredFile.write([0], to: "\(folder)/\(name)")
            }
            #expect(names(try ImageSource(folder)) == ["A.png", "b/a.png", "b/deep/x.JPEG", "c.jpg"])
        }
    }

    @Test func readsTarShardsBesideFiles() throws {
        try withScratchFolder { folder in
            try StoredFolder.create(folder + "/shards")
            for kind in ["ustar", "gnu"] { try StoredFile.write(StoredFile.read(Fixture.path(kind + ".tar")), to: "\(folder)/shards/\(kind).tar") }
            try StoredFile.write([0], to: folder + "/a.png")
            let source = try ImageSource(folder)
            #expect(names(source).prefix(2) == ["a.png", "shards/gnu.tar/0001.jpg"])
            #expect(source.count == 6)
            let picture = try source.image(at: 1)
            #expect((picture.width, picture.height) == (6, 4))
            // The same pictures by the archive itself.
            let archive = try ImageSource(folder + "/shards/gnu.tar")
            #expect(archive.name(at: 0) == "0001.jpg")
            for index in 0..<archive.count { #expect(try archive.bytes(at: index) == source.bytes(at: index + 1)) }
        }
    }

    @Test func readsLists() throws {
        try withScratchFolder { folder in
            let pictures = try TinyTraining.pictures(in: folder)
            try StoredFile.write(StoredFile.read(Fixture.path("pax.tar")), to: folder + "/pax.tar")
            let lines = "# chosen by hand\npictures/00000003.png\r\n\n \t\nmissing.png\n\(pictures)/00000001.png\npax.tar\npictures"
            try StoredFile.write(Array(lines.utf8), to: folder + "/list.txt")
            let source = try ImageSource(folder + "/list.txt")
            #expect(names(source).prefix(4) == ["pictures/00000003.png", "missing.png", "\(pictures)/00000001.png", "pax.tar/0001.jpg"])
            #expect(source.count == 3 + 4 + 6)
            #expect(source.name(at: 12) == "pictures/00000005.png")
            #expect(try source.bytes(at: 0) == StoredFile.read(pictures + "/00000003.png"))
            #expect(try source.bytes(at: 2) == StoredFile.read(pictures + "/00000001.png"))
            // A missing picture is reported when it is wanted.
            let missing = folder + "/missing.png"
            #expect(throws: FileError(path: missing, reason: "cannot open \(missing): No such file or directory")) { try source.image(at: 1) }
        }
    }

    @Test func countsPicturesInFormatsThatAreNotRead() throws {
        try withScratchFolder { folder in
            for name in ["a.png", "b.webp", "c.WEBP", "d.gif", "notes.txt", "webp", ".hidden.bmp"] {
                try StoredFile.write([0], to: "\(folder)/\(name)")
            }
            let remark = "pictures in formats that are not read, 1 GIF, 2 WebP: convert them to PNG or JPEG"
            #expect(try ImageSource(folder).remarks == [remark])
            try StoredFile.write(Array("a.png\nd.gif\nc.WEBP\nb.webp".utf8), to: folder + "/list")
            #expect(try ImageSource(folder + "/list").remarks == [remark])
            StoredFolder.remove(folder + "/a.png")
            #expect(throws: FileError(path: folder, reason: "\(folder) holds no PNG or JPEG files; \(remark)")) { try ImageSource(folder) }
        }
    }

    @Test func namesCompressedArchivesAndBrokenLinksThatItPassesOver() throws {
        try withScratchFolder { folder in
            let reason =
                ": compressed archives are not read, because a picture in the middle is only found by unpacking all before it; uncompress to .tar first"
            for name in ["a.tar.gz", "b.TGZ", "c.tar.zst", "d.txz"] { try StoredFile.write([0], to: "\(folder)/\(name)") }
            #expect(symlink("nowhere", folder + "/e.png") == 0)
            let archives = "\(folder)/a.tar.gz, \(folder)/b.TGZ, \(folder)/c.tar.zst and 1 more\(reason)"
            let link = "\(folder)/e.png cannot be followed or examined"
            let nothing = "\(folder) holds no PNG or JPEG files; \(archives); \(link)"
            #expect(throws: FileError(path: folder, reason: nothing)) { try ImageSource(folder) }
            for name in ["x.png", "notes.gz"] { try StoredFile.write([0], to: "\(folder)/\(name)") }
            let source = try ImageSource(folder)
            #expect(source.remarks == [archives, link])
            #expect(SquareImages(source, size: 4).takeComplaints() == ["passed over: \(archives)", "passed over: \(link)"])
            let archive = folder + "/a.tar.gz"
            #expect(throws: FileError(path: archive, reason: archive + reason)) { try ImageSource(archive) }
            try StoredFile.write(Array("a.tar.gz\nx.png\n".utf8), to: folder + "/list")
            #expect(try ImageSource(folder + "/list").remarks == [archive + reason])
        }
    }

    /// A download that broke off, or went wrong.
    @Test func takesWhatIsReadableOfDamagedArchives() throws {
        try withScratchFolder { folder in
            let whole = try StoredFile.read(Fixture.path("ustar.tar"))
            let first = try #require(try TarArchive(Fixture.path("ustar.tar")).members.first).range
            try StoredFile.write(whole, to: folder + "/a.tar")
            try StoredFile.write(Array(whole.prefix(first.upperBound + 700)), to: folder + "/b.tar")
            try StoredFile.write([], to: folder + "/c.tar")
            try StoredFile.write(Array("<html>".utf8) + [UInt8](repeating: 32, count: 4096), to: folder + "/d.tar")
            #expect(symlink("nowhere", folder + "/e.tar") == 0)
            let source = try ImageSource(folder)
            #expect(names(source) == ["a.tar/0001.jpg", try #require(names(source).dropFirst().first), "b.tar/0001.jpg"])
            #expect(try source.bytes(at: 2) == source.bytes(at: 0))
            #expect(source.remarks.count == 4 && source.remarks[0] == "\(folder)/e.tar cannot be followed or examined")
            #expect(source.remarks[1].hasPrefix("the end of \(folder)/b.tar, behind its picture 1: \(folder)/b.tar is truncated: "))
            #expect(source.remarks[2] == "\(folder)/c.tar is no tar archive: it has only 0 bytes")
            #expect(source.remarks[3] == "\(folder)/d.tar is no uncompressed tar archive")
            try StoredFile.write([], to: folder + "/f.tar")
            #expect(try ImageSource(folder).remarks.last == "1 more archives cannot be read to their ends")
            try StoredFile.write(Array("b.tar\nc.tar\ngone.tar\n".utf8), to: folder + "/list")
            let listed = try ImageSource(folder + "/list")
            #expect(names(listed) == ["b.tar/0001.jpg"] && listed.remarks.last == "cannot open \(folder)/gone.tar: No such file or directory")
            #expect(throws: FileError(path: folder + "/c.tar", reason: source.remarks[2])) { try ImageSource(folder + "/c.tar") }
        }
    }

    @Test func passesLinksBackOver() throws {
        try withScratchFolder { folder in
            try StoredFolder.create(folder + "/a/b")
            try StoredFile.write([0], to: folder + "/a/b/x.png")
            for name in ["c", "d"] { #expect(symlink("../../a", "\(folder)/a/b/\(name)") == 0) }
            #expect(symlink(".", folder + "/self") == 0)
            let source = try ImageSource(folder)
            #expect(names(source) == ["a/b/x.png"])
            #expect(source.remarks == ["\(folder)/a/b/c, \(folder)/a/b/d, \(folder)/self: links to folders that they lie in"])
        }
    }

    /// No loop, but two ways at each of twenty forks.
    @Test func refusesLinksThatLeadByTooManyWays() throws {
        try withScratchFolder { folder in
            let forks = folder + "/forks"
            for level in 0..<20 {
                try StoredFolder.create("\(forks)/\(level)")
                for name in ["c", "d"] { #expect(symlink("../\(level + 1)", "\(forks)/\(level)/\(name)") == 0) }
            }
            try StoredFolder.create(forks + "/20")
            var walk = FolderWalk(maximumDepth: 32, maximumFolders: 1000)
            let error = #expect(throws: FileError.self) { try walk.visit(forks + "/0") { _, _ in } }
            #expect(error?.reason.hasSuffix("is the last of 1000 folders; do links lead there by many ways?") == true)
        }
    }

    @Test func stampsFollowEveryReplacement() throws {
        try withScratchFolder { folder in
            for name in ["a.png", "b.png"] { try StoredFile.write([0], to: "\(folder)/\(name)") }
            let before = try ImageSource(folder)
            #expect(try ImageSource(folder).stamp(of: 0..<2) == before.stamp(of: 0..<2))
            try StoredFile.write([1], to: folder + "/b.png")
            let after = try ImageSource(folder)
            #expect(after.signature == before.signature && after.stamp(of: 0..<1) == before.stamp(of: 0..<1))
            #expect(after.stamp(of: 0..<2) != before.stamp(of: 0..<2))
        }
    }

    @Test func takesOnePicture() throws {
        try withScratchFolder { folder in
            let source = try ImageSource(try TinyTraining.pictures(in: folder) + "/00000002.png")
            #expect(names(source) == ["00000002.png"])
            #expect(try source.image(at: 0).width == 32)
        }
    }

    @Test func refusesListsOfOtherThings() throws {
        try withScratchFolder { folder in
            let list = folder + "/list"
            for (text, reason) in [
                ("a.png\nnotes.txt", "\(list), line 2: notes.txt is neither a PNG or JPEG file, a .tar file nor a folder"),
                ("\n\n", "\(list) holds no PNG or JPEG files"),
                ("a\0b", "\(list) is no list of pictures: expected a folder, a .tar file, or text with one path a line"),
                ("gone.tar", "\(list) holds no PNG or JPEG files; cannot open \(folder)/gone.tar: No such file or directory"),
            ] {
                try StoredFile.write(Array(text.utf8), to: list)
                let error = #expect(throws: FileError.self) { try ImageSource(list) }
                #expect(error?.reason == reason)
            }
        }
    }

    @Test func anArchiveThatShrankIsReportedAndSkipped() throws {
        try withScratchFolder { folder in
            let archive = folder + "/a.tar"
            let bytes = try StoredFile.read(Fixture.path("gnu.tar"))
            try StoredFile.write(bytes, to: archive)
            let images = SquareImages(try ImageSource(archive), size: 4)
            try StoredFile.write(Array(bytes.prefix(600)), to: archive)
            #expect(images.image(at: 0) == nil)
            #expect(images.takeComplaints() == ["skipped: \(archive) has been cut short since it was opened"])
        }
    }

    /// The archive is mostly a hole: its member would fill the memory.
    @Test func aPictureInAnArchiveHasTheLimitOfFiles() throws {
        try withScratchFolder { folder in
            let archive = folder + "/a.tar"
            var header = [UInt8](repeating: 0, count: TarArchive.blockBytes)
            header.replaceSubrange(0..<5, with: Array("a.png".utf8))
            let bytes = 1 << 32
            header.replaceSubrange(124..<136, with: Array(String(bytes, radix: 8).utf8) + [0])
            header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
            let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
            header.replaceSubrange(148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 32])
            try StoredFile.write(header, to: archive)
            #expect(truncate(archive, bytes + 4 * TarArchive.blockBytes) == 0)
            let source = try ImageSource(archive)
            let reason = "\(archive): \(source.name(at: 0)) has \(bytes) bytes, more than the \(1 << 30) allowed here"
            #expect(throws: FileError(path: archive, reason: reason)) { try source.bytes(at: 0) }
        }
    }

    private func names(_ source: ImageSource) -> [String] { (0..<source.count).map { source.name(at: $0) } }

    @Test func signatureFollowsNamesAndSizes() throws {
        try withScratchFolder { folder in
            try StoredFile.write([0], to: folder + "/a.png")
            let before = try ImageSource(folder).signature
            #expect(try ImageSource(folder).signature == before)
            try StoredFile.write([0, 0], to: folder + "/a.png")
            #expect(try ImageSource(folder).signature != before)
        }
    }

    @Test func refusesAnEmptyFolderAndNamesABadFile() throws {
        try withScratchFolder { folder in
            #expect(throws: FileError(path: folder, reason: "\(folder) holds no PNG or JPEG files")) { try ImageSource(folder) }
            try StoredFile.write([], to: folder + "/a.png")
            let reason = "\(folder)/a.png: the image is empty: expected the bytes of a PNG or JPEG file"
            #expect(throws: FileError(path: folder + "/a.png", reason: reason)) { try ImageSource(folder).image(at: 0) }
        }
    }

    @Test func cropsAreFixedBySeedAndStep() throws {
        try withScratchFolder { folder in
            let pictures = try TinyTraining.pictures(in: folder)
            let images = SquareImages(try ImageSource(pictures), size: 24)
            let sampler = CropSampler(images, among: Array(0..<6), side: 8, seed: 1)
            let crops = try sampler.crops(count: 5, step: 3)
            #expect(crops.shape == [5, 8, 8, 3])
            #expect(crops.values == (try sampler.crops(count: 5, step: 3).values))
            #expect(crops.values != (try sampler.crops(count: 5, step: 4).values))
            // The same without room to keep a decoded picture.
            let forgetful = SquareImages(try ImageSource(pictures), size: 24, maximumHeldBytes: 0)
            #expect(crops.values == (try CropSampler(forgetful, among: Array(0..<6), side: 8, seed: 1).crops(count: 5, step: 3).values))
        }
    }

    @Test func aFolderOfBrokenFilesIsAnError() throws {
        try withScratchFolder { folder in
            try StoredFile.write([1], to: folder + "/a.png")
            let images = SquareImages(try ImageSource(folder), size: 24)
            #expect(throws: FileError.self) { try CropSampler(images, among: [0], side: 8, seed: 1).crops(count: 1, step: 0) }
            #expect(images.takeComplaints().count == 1)
        }
    }
}
