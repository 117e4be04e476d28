import TestSupport
import Testing

@testable import Files
@testable import Images
@testable import Tokenization
@testable import TokenizerCore

@Suite struct DetokenizationTests {
    private let scene: TokenScene

    init() throws {
        scene = try TokenScene()
    }

    private func draw(_ checkpoint: String) throws -> Int? {
        try Detokenization(scene.place("tokens"), Checkpoint(checkpoint), output: scene.place("drawn"), .silent).run { false }
    }

    @Test(arguments: TokenFormat.allCases)
    func everyFormatBecomesPicturesAgain(format: TokenFormat) throws {
        #expect(try scene.run(format).run { false })
        #expect(try draw(scene.checkpoint.directory) == 6)
        let tokenizer = try scene.checkpoint.tokenizer
        for number in TokenScene.usable {
            let expected = try tokenizer.decode(Tokens(ofOneImage: try scene.tokens(number)))[0]
            #expect(try StoredFile.read(scene.place("drawn/00000000\(number).png")) == PNGEncoder.encode(expected))
        }
        #expect(try StoredFolder.names(in: scene.place("drawn")).count == 6)
    }

    @Test(arguments: [TokenFormat.webdataset, .llamagen, .bin, .jsonl])
    func viewsAreDrawnOneByOne(format: TokenFormat) throws {
        #expect(try scene.run(format, views: .flip).run { false })
        #expect(try draw(scene.checkpoint.directory) == 6)
        let expected = try scene.checkpoint.tokenizer.decode(Tokens(ofOneImage: Array(try scene.tokens(1, .flip).suffix(16))))[0]
        #expect(try StoredFile.read(scene.place("drawn/000000001-1.png")) == PNGEncoder.encode(expected))
        #expect(try StoredFolder.names(in: scene.place("drawn")).count == 12)
    }

    @Test func tokensOfAnotherFingerprintAreRefused() throws {
        #expect(try scene.run().run { false })
        let other = try TinyCheckpoint(codes: 50)
        let reason =
            "\(scene.place("tokens")) holds tokens of fingerprint \(try scene.checkpoint.manifest.fingerprint), the checkpoint has \(try other.manifest.fingerprint): name the one that made them"
        #expect { try draw(other.directory) } throws: { ($0 as? FileError)?.reason == reason }
        #expect(!StoredFile.exists(scene.place("drawn")))
    }

    @Test(arguments: [
        (TokenFormat.webdataset, "tokens-00001.tar", "tokens-00001.tar: truncated, "), (.bin, "tokens-00001.bin", "tokens-00001.bin: truncated, "),
        (.jsonl, "tokens-00001.jsonl", "tokens-00001.jsonl: truncated, "),
        (.llamagen, "pets_codes/4.npy", "pets_codes/3.npy and those up to pets_labels/5.npy: truncated, "),
    ])
    func truncatedFilesAreNamedBeforeAnythingIsWritten(format: TokenFormat, name: String, reason: String) throws {
        #expect(try scene.run(format).run { false })
        let path = scene.place("tokens/\(name)")
        try StoredFile.write(Array(try StoredFile.read(path).dropLast(10)), to: path)
        #expect { try draw(scene.checkpoint.directory) } throws: { ($0 as? FileError)?.reason.contains(reason) == true }
        #expect(!StoredFile.exists(scene.place("drawn")))
        StoredFolder.remove(path)
        #expect { try draw(scene.checkpoint.directory) } throws: { ($0 as? FileError)?.reason == "cannot open \(path): No such file or directory" }
    }

    @Test func whatIsNoFolderOfTokensIsRefused() throws {
        try StoredFolder.create(scene.place("tokens"))
        let reason = "\(scene.place("tokens")) has no metadata.json: expected a folder that revq-train tokenize filled"
        #expect { try draw(scene.checkpoint.directory) } throws: { ($0 as? FileError)?.reason == reason }
    }
}
