import Foundation
import HTTPTransport
import Logging
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Images
@testable import Service
@testable import Tokenization
@testable import TokenizerCore

/// The default checkpoint on photographs: what is tokenized here means the same to a server.
@Suite struct ServerTokensTests {
    private static let repository = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    private static let photographs = repository + "/Tests/Photographs"

    private var checkpoint: Checkpoint {
        get throws { try Checkpoint(newestIn: Self.repository + "/checkpoints/default") }
    }

    @Test func tokensAreThoseOfEncodeForTheSameBytes() throws {
        let bytes = try StoredFile.read(Self.photographs + "/chelsea.jpg")
        let server = try server()
        defer { server.stop(within: .seconds(5)) }
        let answer = try post("/encode", bytes, type: "image/jpeg", to: server)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
        try withScratchFolder { folder in
            try StoredFile.write(Array((Self.photographs + "/chelsea.jpg\n").utf8), to: folder + "/list.txt")
            let options = TokenizingRun.Options(
                images: folder + "/list.txt", output: folder + "/tokens", format: .bin, name: nil, picturesPerFile: 10, shard: .all)
            let run = try TokenizingRun(options, PictureEncoder(checkpoint, size: nil, crop: .centre, views: .none), .silent)
            #expect(try run.run { false })
            let tokens = try run.folder.tokens(try run.folder.index(0), run.terms)[0]
            #expect(tokens == (document["tokens"] as? [Int])?.map { Int32($0) } && tokens.count == 512)
            #expect(document["fingerprint"] as? String == run.terms.fingerprint)
        }
    }

    /// What `tokenize --size` makes of them, alone and in a list, and back the pictures that it draws.
    @Test(arguments: [128, 320]) func picturesOfOtherSizesAreThoseOfEncode(size: Int) throws {
        let files = try ["chelsea.jpg", "coffee.jpg", "rocket.jpg"].map { try StoredFile.read(Self.photographs + "/" + $0) }
        let encoder = try PictureEncoder(checkpoint, size: size, crop: .centre, views: .none)
        let expected = try files.map { try encoder.encode($0).tokens }
        let server = try server()
        defer { server.stop(within: .seconds(5)) }
        for (file, tokens) in zip(files, expected) {
            let document = try post("/encode?size=\(size)", file, to: server)
            #expect(try self.tokens(of: document) == tokens && tokens.count == size * size / 128)
            #expect(try RGBImage(decoding: post("/decode", document.body, to: server).body) == encoder.draw(tokens, width: size, height: size))
        }
        let list = "{\"images\":[\(files.map { "\"\(Data($0).base64EncodedString())\"" }.joined(separator: ","))]}"
        let answer = try post("/encode?size=\(size)", Array(list.utf8), type: "application/json", to: server)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
        let items = try #require(object["items"] as? [[String: Any]])
        #expect(items.map { ($0["tokens"] as? [Int])?.map { Int32($0) } } == expected)
    }

    /// Of what is no square, the tokenizer of that size.
    @Test func whatIsNoSquareHasTheTokensOfItsCentre() throws {
        let bytes = try StoredFile.read(Self.photographs + "/chelsea.jpg")
        let centre = CentrePreprocessor(width: 320, height: 192)
        let picture = try ImageDecoder.centre(bytes[...], ImageHeader.parse(bytes), centre, limits: ImageLimits())
        let tokens = try VisualTokenizer(checkpoint).resized(width: 320, height: 192).encode(PixelBatch(images: [picture]))
        let server = try server()
        defer { server.stop(within: .seconds(5)) }
        let answer = try post("/encode?size=192x320", bytes, to: server)
        #expect(try self.tokens(of: answer) == tokens.indices && tokens.indices.count == 480)
        let drawn = try RGBImage(decoding: post("/decode", answer.body, to: server).body)
        #expect(drawn.width == 320 && drawn.height == 192 && PeakSignalToNoise.decibels(drawn, picture) > 20)
        let refused = try LoopbackClient.send("POST", "/encode?size=200", to: server.address, headers: ["Content-Type": "image/jpeg"], body: bytes)
        #expect(refused.text.contains("the size is 200x200 pixels; the sides of the model's pictures are multiples of 64"))
    }

    @Test func aPictureOfAnotherSizeDoesNotDependOnItsBatch() throws {
        let original = try TokenizerEngine(loading: checkpoint.directory)
        let size = try #require(PictureSize("192x320"))
        let engine = try original.resized(to: size)
        #expect(try original.resized(to: size) === engine && engine.facts.size == size && engine.facts.latentShape == [64, 6, 10])
        let pictures = try ["chelsea.jpg", "coffee.jpg", "rocket.jpg"].map { name in
            let bytes = try StoredFile.read(Self.photographs + "/" + name)
            return try ImageDecoder.centre(
                bytes[...], ImageHeader.parse(bytes), CentrePreprocessor(width: 320, height: 192), limits: ImageLimits())
        }
        let tokens = try engine.encode(pictures)
        #expect(try tokens.indices == pictures.flatMap { try engine.encode([$0]).indices })
        #expect(try engine.decode(tokens) == tokens.images.map { try engine.decode(Tokens(ofOneImage: Array($0)))[0] })
        #expect(throws: VisualTokenizer.SizeError.self) { try original.resized(to: #require(PictureSize("192x200"))) }
    }

    private func server() throws -> Server {
        let configuration = try ServerConfiguration(SettingSources(flags: ["checkpoints": Self.repository + "/checkpoints", "port": "0"]))
        return try Server(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Asks until there is a checkpoint.
    private func post(_ target: String, _ body: [UInt8], type: String = "", to server: Server) throws -> HTTPResponse {
        var answer: HTTPResponse
        repeat {
            answer = try LoopbackClient.send("POST", target, to: server.address, headers: ["Content-Type": type], body: body)
        } while answer.status == .serviceUnavailable
        #expect(answer.status == .ok, "\(answer.text)")
        return answer
    }

    private func tokens(of answer: HTTPResponse) throws -> [Int32]? {
        let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        return (object?["tokens"] as? [Int])?.map { Int32($0) }
    }

    @Test func theSameSizeIsTheSameTokenizer() throws {
        let tokenizer = try VisualTokenizer(checkpoint)
        let picture = PixelBatch(
            images: [try RGBImage(decoding: StoredFile.read(Self.photographs + "/coffee.jpg"))].map { SquarePreprocessor(imageSize: 256)($0) })
        let tokens = tokenizer.encode(picture)
        let resized = try tokenizer.resized(width: 256, height: 256)
        #expect(resized.encode(picture) == tokens && resized.draw(tokens).pixels.values == tokenizer.draw(tokens).pixels.values)
        let reason = "this checkpoint cannot make tokens of 250×256 pixels: its autoencoder takes multiples of 32 pixels up to 16384"
        #expect(throws: VisualTokenizer.SizeError(description: reason)) { _ = try tokenizer.resized(width: 250, height: 256) }
    }

    /// A wide and a tall picture, whole; and squares of another size.
    @Test(arguments: [(Framing.Crop.none, 128), (.none, 256), (.centre, 128), (.centre, 320)])
    func picturesOfOtherSizesHaveTokensToo(crop: Framing.Crop, size: Int) throws {
        try withScratchFolder { folder in
            let names = ["chelsea.jpg", "china.jpg", "rocket.jpg"]
            try StoredFile.write(Array(names.map { "\(Self.photographs)/\($0)\n" }.joined().utf8), to: folder + "/list.txt")
            let options = TokenizingRun.Options(
                images: folder + "/list.txt", output: folder + "/tokens", format: .webdataset, name: nil, picturesPerFile: 10, shard: .all)
            let transcript = Transcript()
            let run = try TokenizingRun(options, PictureEncoder(checkpoint, size: size, crop: crop, views: .none), transcript.console)
            #expect(try run.run { false })
            let index = try run.folder.index(0)
            #expect(index.usable.count == names.count, "\(transcript.text)")
            let tokens = try run.folder.tokens(index, run.terms)
            for (picture, tokens) in zip(index.usable, tokens) {
                let (width, height) = (try #require(picture.width), try #require(picture.height))
                #expect(min(width, height) == size && width % 64 == 0 && height % 64 == 0 && tokens.count == width * height / 128)
                #expect(crop == .none || width == height)
            }
            try run.verify(3)
            #expect(transcript.text.contains("verified 3 images: PSNR 2"))
            #expect(try Detokenization(folder + "/tokens", checkpoint, output: folder + "/drawn", .silent).run { false } == 3)
        }
    }

    @Test func wholePicturesAreRefusedWhereTheyCannotBe() throws {
        let checkpoint = try checkpoint
        #expect { _ = try PictureEncoder(checkpoint, size: 200, crop: .none, views: .none) } throws: {
            "\($0)".hasSuffix("with --crop none its pictures have sides that are multiples of 64 pixels, --size 200 is none")
        }
        #expect { _ = try PictureEncoder(checkpoint, size: nil, crop: .none, views: .tenCrop) } throws: {
            "\($0)" == "--views ten-crop takes squares: it does not go with --crop none"
        }
        let options = TokenizingRun.Options(
            images: Self.photographs, output: "/nowhere", format: .bin, name: nil, picturesPerFile: 10, shard: .all)
        #expect { _ = try TokenizingRun(options, PictureEncoder(checkpoint, size: nil, crop: .none, views: .none), .silent) } throws: {
            "\($0)" == "--format bin has equally many tokens for each picture: it does not go with --crop none"
        }
    }
}
