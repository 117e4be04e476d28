import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Pictures
@testable import Tokenization

/// Files as those who train on them read them; `Tests/token_consumers.py` reads them with their own libraries.
@Suite struct TokenFormatTests {
    private let scene: TokenScene

    init() throws {
        scene = try TokenScene()
    }

    private func json(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test func webDatasetSamplesAreNeighboursOfOneKey() throws {
        #expect(try scene.run().run { false })
        for (part, numbers) in [[0, 1, 2], [3, 4, 5]].enumerated() {
            let path = scene.place("tokens/tokens-0000\(part).tar")
            let (file, members) = (try ReadableFile(path), try TarArchive(path).members)
            #expect(members.map(\.name) == numbers.flatMap { ["00000000\($0).json", "00000000\($0).npy"] })
            for (place, number) in numbers.enumerated() {
                let document = try json(try file.read(members[2 * place].range))
                #expect(document["name"] as? String == TokenScene.names[number])
                #expect(document["sha256"] as? String == (try FileDigest(of: "\(scene.pictures)/\(TokenScene.names[number])")).sha256)
                #expect(document["fingerprint"] as? String == (try scene.checkpoint.manifest.fingerprint))
                #expect(document["crop"] as? String == "centre" && document["label"] as? Int == (number < 3 ? 0 : 1))
                let array = try NumPyArray(parsing: try file.read(members[2 * place + 1].range))
                #expect(array == NumPyArray(try scene.tokens(number), as: .uint16, shape: [16]))
            }
        }
        // The part of the picture that is none has no archive.
        #expect(!StoredFile.exists(scene.place("tokens/tokens-00002.tar")))
    }

    @Test(arguments: Views.allCases)
    func llamaGenHasAnArrayOfViewsAndALabelForEachNumber(views: Views) throws {
        #expect(try scene.run(.llamagen, views: views).run { false })
        for number in TokenScene.usable {
            let codes = try NumPyArray(parsing: try StoredFile.read(scene.place("tokens/pets_codes/\(number).npy")))
            #expect(codes == NumPyArray(try scene.tokens(number, views), as: .int64, shape: [1, views.count, 16]))
            let label = try NumPyArray(parsing: try StoredFile.read(scene.place("tokens/pets_labels/\(number).npy")))
            #expect(label == NumPyArray([number < 3 ? 0 : 1], as: .int64, shape: [1]))
        }
        #expect(try StoredFolder.names(in: scene.place("tokens/pets_codes")).count == 6)
    }

    @Test func flatNumbersFollowEachOther() throws {
        #expect(try scene.run(.bin, views: .flip, perFile: 100).run { false })
        let expected = try TokenScene.usable.flatMap { try scene.tokens($0, .flip) }.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        #expect(try StoredFile.read(scene.place("tokens/tokens-00000.bin")) == expected)
        let metadata = try json(try StoredFile.read(scene.place("tokens/metadata.json")))
        #expect(metadata["dtype"] as? String == "uint16" && metadata["tokens_per_view"] as? Int == 16)
        #expect(metadata["codebook_size"] as? Int == 48 && metadata["views_per_picture"] as? Int == 2)
        #expect(metadata["classes"] as? [String] == ["cat", "dog"])
    }

    @Test func aLineIsAPicture() throws {
        #expect(try scene.run(.jsonl, perFile: 100).run { false })
        let lines = try StoredFile.read(scene.place("tokens/tokens-00000.jsonl")).split(separator: 10).map { try json(Array($0)) }
        #expect(lines.map { $0["name"] as? String } == TokenScene.usable.map { TokenScene.names[$0] })
        #expect(lines.map { $0["tokens"] as? [Int32] } == (try TokenScene.usable.map { try scene.tokens($0) }))
    }

    @Test func whatIsNoPictureIsListed() throws {
        let transcript = Transcript()
        #expect(try scene.run(console: transcript.console).run { false })
        #expect(transcript.text.contains("skipped: dog/z.png: the data starts with 6e 6f 20 70: expected a PNG or JPEG file\n"))
        #expect(transcript.text.contains("1 of 7 images could not be used: they are listed in \(scene.place("tokens"))/skipped-*.jsonl\n"))
        #expect(transcript.text.contains("1 image had the contents of others and took no computing\n"))
        let line = try json(try StoredFile.read(scene.place("tokens/skipped-00002.jsonl")))
        #expect(line["name"] as? String == "dog/z.png" && line["number"] as? Int == 6)
        #expect(!StoredFile.exists(scene.place("tokens/skipped-00000.jsonl")))
    }

    @Test func largeCodebooksTakeWiderNumbers() {
        #expect(TokenFormat.bin.elementType(1 << 16) == .uint16 && TokenFormat.webdataset.elementType(1 << 16 + 1) == .uint32)
        #expect(NumPyArray([65_536, 1], as: .uint32, shape: [2]).data == [0, 0, 1, 0, 1, 0, 0, 0])
    }

    /// ustar, as Python's tarfile with `format=USTAR_FORMAT` and empty owner writes it but for the padding at the end.
    @Test func archivesAreThoseThatTheReaderKnows() throws {
        var archive = TarWriter()
        archive.add(Array("abc".utf8), named: "1.json")
        archive.add([UInt8](repeating: 7, count: 512), named: "1.npy")
        let bytes = archive.finished()
        #expect(bytes.count == 512 * 6)
        #expect(String(decoding: bytes[257..<265], as: UTF8.self) == "ustar\u{0}00" && bytes[156] == UInt8(ascii: "0"))
        try withScratchFolder { folder in
            try StoredFile.write(bytes, to: folder + "/a.tar")
            #expect(try TarArchive(folder + "/a.tar").members.map(\.range) == [512..<515, 1536..<2048])
        }
    }

    @Test func classesAreTheInnermostFoldersInByteOrder() {
        let labels = ClassLabels(of: ["x/b/1.png", "a.tar/B/2.png", "c.tar/3.png", "4.png", "b/5.png", "/data/é/6.png"])
        #expect(labels.names == ["B", "b", "é"])
        #expect(["x/b/1.png", "a.tar/B/2.png", "c.tar/3.png", "4.png", "b/5.png", "/data/é/6.png"].map { labels[$0] } == [1, 0, nil, nil, 1, 2])
    }

    @Test func labelsForSomePicturesOnlyAreRefused() throws {
        try scene.put(TinyCheckpoint.picture(seed: 9), as: "stray.png")
        let reason = "\(scene.pictures): stray.png lies in no class folder, while other pictures do: LlamaGen's labels need one for each, or none"
        #expect { try scene.run(.llamagen) } throws: { ($0 as? FileError)?.reason == reason }
        #expect(!StoredFile.exists(scene.place("tokens")))
    }
}
