import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

@Suite struct TokenChannelTests {
    /// The channel is what encoding and decoding does to latents, at every size that it was made for.
    @Test(arguments: [4, 8])
    func latentsBecomeTheirTokens(side: Int) throws {
        let channel = try TokenChannel(Self.fit(), imageSizes: [4 * 4, 8 * 4])
        var (z, random) = (Tensor(uninitialized: [2, side, side, 2]), RandomSource(seed: 3, stream: 1))
        random.fill(normal: &z)
        let passed = channel.passage(of: z)
        #expect(passed.output.shape == z.shape)
        // Normalised by (x − 1) / 2, the codes are −1 and 1 in both channels.
        for (x, value) in zip(z.values, passed.output.values) { #expect(value == (x < 1 ? -1 : 3)) }
        let error = passed.error()
        for ((x, value), slope) in zip(zip(z.values, passed.output.values), error.gradient.values) {
            #expect(abs(slope - 2 * (x - value) / Float(z.count)) < 1e-6)
        }
        #expect(LatentChannel.Passage.tokens(passed).backward(z).values == z.values, "gradients go straight past tokens")
    }

    @Test func newCodesAreThoseOfAllSizes() throws {
        var channel = try TokenChannel(Self.fit(), imageSizes: [16, 32])
        channel.codebooks = Tensor([-2, 2], shape: [1, 2, 1])
        for side in [4, 8] {
            let passed = channel.passage(of: Tensor(repeating: 2, shape: [1, side, side, 2])).output
            #expect(passed.values.allSatisfy { $0 == 5 })
            #expect(channel.quantizer(ofVectors: side * side * 2).codebooks.values == [-2, 2])
        }
    }

    @Test func codesOfSinglePlacesAreRefused() throws {
        let layout = try GroupQuantizer.Layout(tokens: 128, codes: 2, latents: 128, codebooks: 128)
        let codebooks = Tensor((0..<256).map { $0 % 2 == 0 ? -1 : 1 }, shape: [128, 2, 1])
        #expect(throws: FileError.self) {
            try TokenChannel(Self.fit(GroupQuantizer(layout, shape: Self.shape, codebooks: codebooks)), imageSizes: [16])
        }
    }

    private static let shape = LatentShape(channels: 2, height: 8, width: 8)

    /// One number per token, codes −1 and 1, means 1 and deviations 2.
    private static func fit() throws -> FittedQuantizer {
        let layout = try GroupQuantizer.Layout(tokens: 128, codes: 2, latents: 128, codebooks: 1)
        return fit(GroupQuantizer(layout, shape: shape, codebooks: Tensor([-1, 1], shape: [1, 2, 1])))
    }

    private static func fit(_ quantizer: GroupQuantizer) -> FittedQuantizer {
        let normalizer = LatentNormalizer(mean: Tensor(repeating: 1, shape: [128]), deviation: Tensor(repeating: 2, shape: [128]), shape: shape)
        let description = FittedQuantizer.Description(
            layout: quantizer.layout, rectifier: .none, latentShape: shape, imageSize: 32, vaeWeights: FileDigest(contents: []), quality: nil)
        return FittedQuantizer(description, normalizer, quantizer, .none, pictures: nil)
    }
}
