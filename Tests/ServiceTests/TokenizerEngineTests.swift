import Logging
import TestSupport
import Testing

@testable import Compute
@testable import Images
@testable import Networks
@testable import Service
@testable import TokenizerCore

/// A real, tiny checkpoint with random weights, from publication to pixels.
@Suite struct TokenizerEngineTests {
    private let folder = ScratchFolder()

    /// Publishes a model of 32-pixel squares, 4 latent values at 1 position, 2 tokens of 16 codes.
    private func publish(seed: UInt64, stages: Int = 1) throws -> String {
        let root = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let vae = root + "/TestSupport/Fixtures/dcae_sana"
        let shape = LatentShape(channels: 4, height: 1, width: 1)
        var random = TestRandom(seed: seed)
        let codes = (0..<2 * 16 * 2 * stages).map { _ in Float.random(in: -2...2, using: &random) }
        let layout = try GroupQuantizer.Layout(tokens: 2, codes: 16, latents: 4, codebooks: 2, stages: stages)
        let pixels = (0..<32 * 32 * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        return try CheckpointPublisher(
            name: "tiny", imageSize: 32, vaeDirectory: vae, vae: Autoencoder(directory: vae),
            normalizer: LatentNormalizer(mean: Tensor(zeros: [4]), deviation: Tensor(repeating: 1, shape: [4]), shape: shape),
            quantizer: GroupQuantizer(layout, shape: shape, codebooks: Tensor(codes, shape: [2, 16, 2 * stages])),
            rectifier: Rectifier(RectifierConfiguration(.identity, isResidual: false), shape: shape, .placeholder),
            metrics: .init(psnr: 0, vaePSNR: 0, quantizedMSE: 0, rectifiedMSE: 0, codebookUse: 0, perplexity: 0, images: 1),
            goldenImages: [RGBImage(width: 32, height: 32, pixels: pixels)]
        ).publish(under: folder.path)
    }

    private func picture(_ seed: UInt64) -> RGBImage {
        var random = TestRandom(seed: seed)
        return RGBImage(width: 32, height: 32, pixels: (0..<32 * 32 * 3).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    @Test func tellsTheFactsOfItsManifest() throws {
        let facts = try TokenizerEngine(loading: publish(seed: 1)).facts
        #expect(facts.version == 1)
        #expect(facts.size == PictureSize(height: 32, width: 32))
        // Its codes and statistics belong to the one site that its pictures have.
        #expect(facts.sizeStep == nil)
        #expect(facts.latentShape == [4, 1, 1])
        #expect(facts.tokensPerImage == 2)
        #expect(facts.codebookSize == 16)
        #expect(!facts.fingerprint.isEmpty)
    }

    @Test func aRowDoesNotDependOnItsBatch() throws {
        let engine = try TokenizerEngine(loading: publish(seed: 1))
        let pictures = (1...5).map { picture($0) }
        let tokens = engine.encode(pictures)
        #expect(tokens.indices == pictures.flatMap { engine.encode([$0]).indices })
        let alone = tokens.images.map { Tokens(tokensPerImage: tokens.tokensPerImage, indices: Array($0)) }
        #expect(try engine.decode(tokens) == alone.map { try engine.decode($0)[0] })
    }

    /// The encoder that both have runs once, which changes nothing of what each does.
    @Test func aCanaryIsComparedOnTheSameLatents() throws {
        let (stable, canary) = (try TokenizerEngine(loading: publish(seed: 1)), try TokenizerEngine(loading: publish(seed: 2)))
        for seed in 1...3 {
            let picture = picture(UInt64(seed))
            let comparison = try ComputeContext.with(\.threads, 1) { try stable.compare(picture, with: canary) }
            #expect(try comparison == VersionComparison(picture, by: stable, and: canary))
        }
        #expect(try stable.compare(picture(1), with: stable).agreement == 1)
    }

    @Test func aCheckpointThatWasChangedIsRefused() throws {
        let path = try publish(seed: 1)
        try folder.write("{}", to: "tiny/000001/manifest.json")
        #expect(throws: CheckpointError.self) { try TokenizerEngine(loading: path) }
    }

    @Test func aCheckpointOfTwoStagesIsServed() throws {
        _ = try publish(seed: 1, stages: 2)
        let configuration = try ServerConfiguration(SettingSources(flags: ["checkpoints": folder.path, "port": "0"]))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = try Server(configuration, logger: logger, interval: .milliseconds(1)) { try TokenizerEngine(loading: $0, while: $1) }
        let client = ServerClient(server)
        try client.waitUntilReady()
        for path in ["/info", "/models"] {
            let text = String(decoding: try client.send("GET", path).body, as: UTF8.self)
            #expect(text.contains("\"stages\":2") && text.contains("\"tokens\":2"), "\(text)")
        }
        let png = PNGEncoder.encode(picture(9))
        let tokens = try client.post("/encode", "image/png", png)
        let image = try client.post("/decode", "application/json", tokens.body)
        #expect(try client.post("/reconstruct", "image/png", png).body == image.body)
        server.stop(within: .seconds(5))
    }

    @Test func aPublishedCheckpointIsServedAndReplaced() throws {
        _ = try publish(seed: 1)
        let configuration = try ServerConfiguration(SettingSources(flags: ["checkpoints": folder.path, "port": "0"]))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = try Server(configuration, logger: logger, interval: .milliseconds(1)) { try TokenizerEngine(loading: $0, while: $1) }
        let client = ServerClient(server)
        try client.waitUntilReady()
        let png = PNGEncoder.encode(picture(9))
        let tokens = try client.post("/encode", "image/png", png)
        let image = try client.post("/decode", "application/json", tokens.body)
        #expect(image.headers["Revq-Version"] == "1")
        #expect(try ImageHeader.parse(image.body).width == 32)
        #expect(try client.post("/reconstruct", "image/png", png).body == image.body)
        _ = try publish(seed: 2)
        try client.answer({ $0.headers["Revq-Version"] == "2" }, to: { try $0.post("/encode", "image/png", png) })
        #expect(try client.post("/decode", "application/json", tokens.body).body == image.body)
        server.stop(within: .seconds(5))
    }
}
