import TestSupport
import Testing

@testable import Compute
@testable import Images
@testable import Networks
@testable import TokenizerCore

/// A whole tokenizer whose products are bf16.
@Suite(.serialized) struct ReducedPrecisionTests {
    private static let rectifier = RectifierConfiguration(.vit(width: 16, depth: 2, headDimension: 8, scales: [5]), isResidual: false)

    @Test(arguments: BFloat16Unit.available)
    func tokensAndPixelsAreBitEqualForAnyBatchAndThreadCount(unit: BFloat16Unit) throws {
        let checkpoint = try TinyCheckpoint(rectifier: Self.rectifier)
        let pictures = (0..<8).map { TinyCheckpoint.picture(seed: UInt64($0)) }
        try ComputeContext.with(\.bfloat16Unit, unit) {
            let tokenizer = try VisualTokenizer.load(from: checkpoint.directory, precision: .bfloat16)
            let (alone, drawn) = ComputeContext.with(\.threads, 1) {
                let alone = pictures.map { tokenizer.encode(PixelBatch(images: [$0])) }
                return (alone, alone.map { tokenizer.draw($0).pixels.values })
            }
            for threads in [1, 2, 5] {
                ComputeContext.with(\.threads, threads) {
                    let together = tokenizer.encode(PixelBatch(images: pictures))
                    #expect(together.indices == alone.flatMap(\.indices))
                    #expect(tokenizer.draw(together).pixels.values == drawn.flatMap { $0 })
                }
            }
        }
    }

    /// Each of some ten roundings in a row changes numbers by at most 2⁻⁸, at random: far less than 3 % in all.
    @Test(arguments: BFloat16Unit.available)
    func theAutoencoderStaysNearItself(unit: BFloat16Unit) throws {
        let folder = Fixture.path("dcae_sana")
        let (exact, reduced) = (try Autoencoder(directory: folder), try Autoencoder(directory: folder, precision: .bfloat16))
        let pixels = PixelBatch(images: [TinyCheckpoint.picture(seed: 3)]).pixels
        ComputeContext.with(\.bfloat16Unit, unit) {
            let latents = exact.encoder(pixels)
            for (near, far) in [(reduced.encoder(pixels), latents), (reduced.decoder(latents), exact.decoder(latents))] {
                let error = relativeError(near, far.values.map(Double.init))
                #expect(error > 0 && error < 0.03)
            }
        }
    }

    @Test(.enabled(if: ComputeContext.current.bfloat16Unit != nil))
    func bothPrecisionsOfOneCheckpointLiveSideBySide() throws {
        let checkpoint = try TinyCheckpoint(rectifier: Self.rectifier)
        let exact = try checkpoint.tokenizer
        let tokens = exact.encode(PixelBatch(images: [TinyCheckpoint.picture(seed: 1)]))
        let drawn = exact.draw(tokens).pixels.values
        let reduced = try VisualTokenizer.load(from: checkpoint.directory, precision: .bfloat16)
        #expect(reduced.draw(tokens).pixels.values != drawn)
        #expect(try checkpoint.tokenizer.draw(tokens).pixels.values == drawn)
    }

    @Test(.enabled(if: ComputeContext.current.bfloat16Unit != nil))
    func refusesTokensThatRoundingDoesNotExplain() throws {
        let checkpoint = try TinyCheckpoint()
        let loaded = try Checkpoint(checkpoint.directory, precision: .bfloat16)
        let tokenizer = try VisualTokenizer(loaded)
        var tokens = tokenizer.encode(PixelBatch(images: [TinyCheckpoint.picture(seed: 7)])).indices
        let good = GoldenImage(file: "golden-0.png", tokens: tokens, psnrFloor: 0)
        #expect(throws: Never.self) { try tokenizer.reproduce([good], of: loaded) }
        tokens[5] = (tokens[5] + 1) % 48
        let rounded = GoldenImage(file: "golden-0.png", tokens: tokens, psnrFloor: 0)
        #expect(throws: Never.self) { try tokenizer.reproduce([rounded], of: loaded) }
        tokens[6] = (tokens[6] + 1) % 48
        let wrong = GoldenImage(file: "golden-0.png", tokens: tokens, psnrFloor: 0)
        #expect(throws: CheckpointError.self) { try tokenizer.reproduce([wrong], of: loaded) }
        let proud = GoldenImage(file: "golden-0.png", tokens: good.tokens, psnrFloor: 90)
        #expect(throws: CheckpointError.self) { try tokenizer.reproduce([proud], of: loaded) }
    }

    /// Gradients are those of fp32 weights.
    @Test(.enabled(if: ComputeContext.current.bfloat16Unit != nil))
    func aGradientIsFormedInSinglePrecision() {
        var (plain, initializer) = (Initializer.random(seed: 1), Initializer.random(seed: 1).computing(in: .bfloat16))
        let (exact, reduced) = (Conv2d(8, 8, &plain), Conv2d(8, 8, &initializer))
        var values = TestValues(seed: 41)
        let (x, dy) = (values.tensor([1, 5, 5, 8]), values.tensor([1, 5, 5, 8]))
        let gradients = [exact, reduced].map { layer -> [Float] in
            var (kept, gradient) = (Tape.keeping, layer.zeroed())
            _ = layer.forward(x, keeping: &kept)
            return layer.backward(dy, from: &kept, into: &gradient).values
        }
        #expect(gradients[0] == gradients[1])
        #expect(exact(x).values != reduced(x).values)
    }
}
