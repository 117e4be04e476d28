import ArgumentParser
import Compute
import Images
import Networks
import TokenizerCore

/// What Winograd's algorithm does to tokens: the same images by it and directly.
struct Algorithms: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Computes images by Winograd's algorithm and directly and prints how far apart latents and tokens are.",
        discussion: """
            Per image: the relative error (L2) of the latents, how many tokens differ, and for those the largest difference of the two \
            codes' distances as a share of the distance: a near tie. An autoencoder alone gets 512 codebooks of 16,384 random codes; \
            noise when there are no images.
            """)

    @Option(help: "A checkpoint.")
    var checkpoint: String?
    @Option(help: "An autoencoder's folder in the diffusers layout, instead of a checkpoint.")
    var vae: String?
    @Option(help: "A folder of PNG and JPEG images.")
    var images: String?
    @Option(help: "Side of the square images for an autoencoder, in pixels.")
    var size = 256
    private static let noiseImages = 4
    private static let (tokens, codes) = (512, 16_384)

    func validate() throws {
        guard (checkpoint == nil) != (vae == nil) else { throw ValidationError("name one of --checkpoint and --vae") }
        guard size >= 1 else { throw ValidationError("--size is at least 1") }
    }

    func run() throws {
        if let checkpoint {
            let parts = try Checkpoint(checkpoint)
            try compare(parts.vae, size: parts.manifest.specification.imageSize, parts.quantizer) { parts.normalizer.normalize(Latents($0)) }
        } else if let vae {
            let autoencoder = try Autoencoder(directory: vae)
            let (side, channels) = (size / autoencoder.configuration.factor, autoencoder.configuration.latentChannels)
            let shape = LatentShape(channels: channels, height: side, width: side)
            try compare(autoencoder, size: size, try randomQuantizer(shape)) { unitVariance(Latents($0)) }
        }
    }

    private func compare(
        _ autoencoder: Autoencoder, size: Int, _ quantizer: GroupQuantizer, _ normalized: (Tensor) -> Latents
    ) throws {
        guard size % autoencoder.configuration.factor == 0 else {
            throw ValidationError("--size is a multiple of the autoencoder's factor \(autoencoder.configuration.factor)")
        }
        let inputs = try images.map { try Samples.pictures($0, size: size).map { ($0.name, PixelBatch(images: [$0.picture]).pixels) } }
        let noise = Samples.noise([Self.noiseImages, size, size, 3])
        var (different, all) = (0, 0)
        print("image\tlatents\tdiffering tokens\tlargest gap")
        for (name, pixels) in inputs ?? (0..<Self.noiseImages).map({ ("noise \($0)", noise.images($0..<$0 + 1)) }) {
            let direct = ComputeContext.with(\.algorithm, .direct) { autoencoder.encoder(pixels) }
            let latents = autoencoder.encoder(pixels)
            let vectors = quantizer.vectors(normalized(direct))
            let (expected, found) = (quantizer.tokens(ofVectors: vectors), quantizer.tokens(normalized(latents)))
            let gaps = gaps(vectors, quantizer.codes(expected), quantizer.codes(found), count: expected.indices.count)
            print("\(name)\t\(Float(latents.relativeError(to: direct)))\t\(gaps.count) of \(expected.indices.count)\t\(gaps.max() ?? 0)")
            (different, all) = (different + gaps.count, all + expected.indices.count)
        }
        print("all\t\t\(different) of \(all)")
    }

    /// For every token whose codes differ: by what share the second code is farther from the vector than the first.
    private func gaps(_ vectors: Tensor, _ nearest: Tensor, _ other: Tensor, count: Int) -> [Float] {
        let (vectors, nearest, other) = (vectors.values, nearest.values, other.values)
        let d = vectors.count / count
        func distance(_ codes: [Float], _ token: Int) -> Double {
            var sum = 0.0
            for i in token * d..<(token + 1) * d {
                let difference = Double(vectors[i]) - Double(codes[i])
                sum += difference * difference
            }
            return sum
        }
        return (0..<count).compactMap { token in
            guard nearest[token * d..<(token + 1) * d] != other[token * d..<(token + 1) * d] else { return nil }
            return Float(distance(other, token) / distance(nearest, token) - 1)
        }
    }

    private func randomQuantizer(_ shape: LatentShape) throws -> GroupQuantizer {
        let layout = try GroupQuantizer.Layout(tokens: Self.tokens, codes: Self.codes, latents: shape.count, codebooks: Self.tokens)
        var codebooks = Tensor(uninitialized: [Self.tokens, Self.codes, layout.dimension])
        var random = RandomSource(seed: 2, stream: 1)
        random.fill(normal: &codebooks)
        return GroupQuantizer(layout, shape: shape, codebooks: codebooks)
    }

    private func unitVariance(_ latents: Latents) -> Latents {
        var scaled = latents
        scaled.map.multiply(by: Float((Double(latents.map.count) / latents.map.sumOfSquares).squareRoot()))
        return scaled
    }
}
