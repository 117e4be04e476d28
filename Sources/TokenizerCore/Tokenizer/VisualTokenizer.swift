import Compute
import Images
import Networks

/// The whole system: pixels → tokens, tokens → pixels.
///
/// `pixels → frozen encoder → normalise → nearest codes` and back through `codes → rectifier → un-normalise → frozen decoder`.
/// An image's tokens never depend on the other images of its batch, nor on how many threads compute them.
package final class VisualTokenizer: Sendable {
    package let manifest: CheckpointManifest
    /// Of the products that make its tokens and pictures.
    package let precision: Precision
    private let vae: AutoencoderDC
    private let normalizer: LatentNormalizer
    private let quantizer: GroupQuantizer
    private let rectifier: Rectifier
    /// How many images the autoencoder computes together: more are taken in parts, which changes no bit of the results.
    let largestBatch: Int
    private static let mostImages = 1024

    /// Loads a checkpoint: checks hashes, shapes and that every number is finite, then reproduces the golden images, which also
    /// warms everything up.
    ///
    /// - Parameter memory: an image that would take more is refused here; batches are computed in parts that do not.
    /// - Precondition: `precision` has no ``Precision/obstacle``.
    package static func load(
        from directory: String, precision: Precision = .float32, within memory: MemoryLimit = .machine
    ) throws(CheckpointError) -> VisualTokenizer {
        let checkpoint = try Checkpoint(directory, precision: precision)
        let tokenizer: VisualTokenizer
        do throws(MemoryShortage) {
            tokenizer = try VisualTokenizer(
                checkpoint.manifest, vae: checkpoint.vae, normalizer: checkpoint.normalizer, quantizer: checkpoint.quantizer,
                rectifier: checkpoint.rectifier, precision: precision, within: memory)
        } catch {
            throw CheckpointError(directory, "\(error)")
        }
        try tokenizer.reproduce(checkpoint.golden, in: directory)
        return tokenizer
    }

    /// - Throws: when one image does not fit into the memory.
    init(
        _ manifest: CheckpointManifest, vae: AutoencoderDC, normalizer: LatentNormalizer, quantizer: GroupQuantizer,
        rectifier: Rectifier, precision: Precision = .float32, within memory: MemoryLimit = .machine
    ) throws(MemoryShortage) {
        (self.manifest, self.vae, self.normalizer, self.quantizer) = (manifest, vae, normalizer, quantizer)
        (self.rectifier, self.precision) = (rectifier, precision)
        largestBatch = try AutoencoderMemory(vae.configuration).largestBatch(
            imageSize: manifest.imageSize, atMost: Self.mostImages, within: memory)
        quantizer.prepareSearch()
    }

    /// - Parameter pixels: `[n, imageSize, imageSize, 3]` in −1 … 1.
    /// - Returns: `manifest.tokensPerImage` tokens for each image.
    package func encode(_ pixels: PixelBatch) -> Tokens {
        tokens(ofRuns: runs(pixels))
    }

    /// - Parameter runs: as ``runs(_:)`` makes them.
    func tokens(ofRuns runs: Tensor) -> Tokens {
        quantizer.tokens(ofRuns: runs)
    }

    /// - Parameter tokens: every one in `0 ..< manifest.codebookSize`.
    /// - Returns: `[n, imageSize, imageSize, 3]`, about −1 … 1.
    package func decode(_ tokens: Tokens) -> PixelBatch {
        precondition(tokens.tokensPerImage == quantizer.layout.tokens, "\(tokens.tokensPerImage) tokens for \(quantizer.layout)")
        let shape = manifest.latentShape
        let rectified = rectifier(shape.featureMap(quantizer.latents(tokens)))
        let latents = shape.featureMap(normalizer.restore(shape.flattened(rectified)))
        return PixelBatch(latents.inParts(of: largestBatch) { vae.decoder($0) })
    }

    /// Latents as the quantiser compares them with codes, `[n, T·d]`.
    func runs(_ pixels: PixelBatch) -> Tensor {
        let size = manifest.imageSize
        precondition(pixels.pixels.h == size && pixels.pixels.w == size, "a \(size)-pixel tokenizer got \(pixels.pixels.shape)")
        return quantizer.runs(
            normalizer.normalize(manifest.latentShape.flattened(pixels.pixels.inParts(of: largestBatch) { vae.encoder($0) })))
    }

    /// Squared distance between a token's run and one of its codes.
    func distance(_ runs: Tensor, token: Int, code: Int32) -> Float {
        let (d, layout) = (quantizer.layout.dimension, quantizer.layout)
        return runs.withPointer { runs in
            quantizer.codebooks.withPointer { codebooks in
                let code = codebooks + (layout.codebook(ofToken: token) * layout.codes + Int(code)) * d
                var sum: Float = 0
                for j in 0..<d { sum += (runs[token * d + j] - code[j]) * (runs[token * d + j] - code[j]) }
                return sum
            }
        }
    }
}
