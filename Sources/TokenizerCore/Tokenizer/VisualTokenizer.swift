import Compute
import Images
import Networks

@_exported import enum Images.ImageError
@_exported import struct Images.RGBImage

/// The whole system: pixels → tokens, tokens → pixels.
///
/// `pixels → frozen encoder → normalise → nearest codes` and back through `codes → rectifier → un-normalise → frozen decoder`.
/// An image's tokens never depend on the other images of its batch, nor on how many threads compute them.
public final class VisualTokenizer: Sendable {
    package let specification: TokenizerSpecification
    /// Of the products that make its tokens and pictures.
    package let precision: Precision
    private let vae: Autoencoder
    private let normalizer: LatentNormalizer
    private let quantizer: GroupQuantizer
    private let rectifier: Rectifier
    /// How many images the autoencoder computes together: more are taken in parts, which changes no bit of the results.
    let largestBatch: Int
    private static let mostImages = 1024

    /// - Throws: when one image does not fit into the memory.
    init(
        _ specification: TokenizerSpecification, vae: Autoencoder, normalizer: LatentNormalizer, quantizer: GroupQuantizer,
        rectifier: Rectifier, precision: Precision = .float32, within memory: MemoryLimit = .machine
    ) throws(MemoryShortage) {
        (self.specification, self.vae, self.normalizer, self.quantizer) = (specification, vae, normalizer, quantizer)
        (self.rectifier, self.precision) = (rectifier, precision)
        largestBatch = try AutoencoderMemory(vae.configuration).largestBatch(
            imageSize: specification.imageSize, atMost: Self.mostImages, within: memory)
        quantizer.prepareSearch()
    }

    /// Side of the square images, in pixels.
    public var imageSize: Int { specification.imageSize }
    public var tokensPerImage: Int { specification.tokensPerImage }
    /// Tokens are in `0 ..< codebookSize`.
    public var codebookSize: Int { specification.codebookSize }

    /// Brings pictures of any size to squares (shorter side to ``imageSize``, centre) and encodes them.
    ///
    /// - Returns: ``tokensPerImage`` tokens for each picture, in order.
    /// - Precondition: every picture has at least one pixel.
    public func encode(_ pictures: [RGBImage]) -> Tokens {
        guard !pictures.isEmpty else { return Tokens(tokensPerImage: tokensPerImage, indices: []) }
        let square = SquarePreprocessor(imageSize: imageSize)
        return encode(PixelBatch(images: pictures.map { square($0) }))
    }

    /// Draws what tokens stand for.
    ///
    /// - Returns: squares of ``imageSize``, in order.
    /// - Throws: when another tokenizer must have made the tokens.
    public func decode(_ tokens: Tokens) throws(TokenError) -> [RGBImage] {
        guard tokens.tokensPerImage == tokensPerImage else {
            throw TokenError(description: "an image has \(tokensPerImage) tokens, not \(tokens.tokensPerImage)")
        }
        if let wrong = tokens.indices.first(where: { !(0..<Int32(codebookSize)).contains($0) }) {
            throw TokenError(description: "\(wrong) is no token: they are in 0 ..< \(codebookSize)")
        }
        return tokens.count == 0 ? [] : draw(tokens).images()
    }

    /// - Parameter pixels: `[n, imageSize, imageSize, 3]` in −1 … 1.
    /// - Returns: `specification.tokensPerImage` tokens for each image.
    package func encode(_ pixels: PixelBatch) -> Tokens {
        tokens(ofVectors: vectors(pixels))
    }

    /// - Parameter vectors: as ``vectors(_:)`` makes them.
    func tokens(ofVectors vectors: Tensor) -> Tokens {
        quantizer.tokens(ofVectors: vectors)
    }

    /// - Parameter tokens: every one in `0 ..< specification.codebookSize`.
    /// - Returns: `[n, imageSize, imageSize, 3]`, about −1 … 1.
    package func draw(_ tokens: Tokens) -> PixelBatch {
        precondition(tokens.tokensPerImage == quantizer.layout.tokens, "\(tokens.tokensPerImage) tokens for \(quantizer.layout)")
        let latents = normalizer.restore(rectifier(quantizer.latents(tokens)))
        return PixelBatch(latents.map.inParts(of: largestBatch) { vae.decoder($0) })
    }

    /// Latents as the quantiser compares them with codes, `[n, T·d]`.
    func vectors(_ pixels: PixelBatch) -> Tensor {
        let size = specification.imageSize
        precondition(pixels.pixels.h == size && pixels.pixels.w == size, "a \(size)-pixel tokenizer got \(pixels.pixels.shape)")
        return quantizer.vectors(normalizer.normalize(Latents(pixels.pixels.inParts(of: largestBatch) { vae.encoder($0) })))
    }

    /// Squared distance between a token's vector and one of its codes.
    func distance(_ vectors: Tensor, token: Int, code: Int32) -> Float {
        let (d, layout) = (quantizer.layout.dimension, quantizer.layout)
        return vectors.withPointer { vectors in
            quantizer.codebooks.withPointer { codebooks in
                let code = codebooks + (layout.codebook(ofToken: token) * layout.codes + Int(code)) * d
                var sum: Float = 0
                for j in 0..<d { sum += (vectors[token * d + j] - code[j]) * (vectors[token * d + j] - code[j]) }
                return sum
            }
        }
    }
}
