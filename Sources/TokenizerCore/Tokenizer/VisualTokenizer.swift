import Compute
import Files
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
    /// Of the pictures that it takes and draws, in pixels: squares of the image size unless it was resized.
    package let width, height: Int
    /// Of the products that make its tokens and pictures.
    package let precision: Precision
    private let vae: Autoencoder
    private let normalizer: LatentNormalizer
    let quantizer: GroupQuantizer
    private let rectifier: Rectifier
    /// How many images the autoencoder computes together: more are taken in parts, which changes no bit of the results.
    package let largestBatch: Int
    private static let mostImages = 1024

    /// - Throws: when one image does not fit into the memory.
    init(
        _ specification: TokenizerSpecification, vae: Autoencoder, normalizer: LatentNormalizer, quantizer: GroupQuantizer,
        rectifier: Rectifier, precision: Precision = .float32, within memory: MemoryLimit = .machine, width: Int? = nil, height: Int? = nil
    ) throws(MemoryShortage) {
        (self.width, self.height) = (width ?? specification.imageSize, height ?? specification.imageSize)
        (self.specification, self.vae, self.normalizer, self.quantizer) = (specification, vae, normalizer, quantizer)
        (self.rectifier, self.precision) = (rectifier, precision)
        // Of a square of as many pixels.
        let side = Int(Double(self.width * self.height).squareRoot().rounded(.up))
        largestBatch = try AutoencoderMemory(vae.configuration).largestBatch(imageSize: side, atMost: Self.mostImages, within: memory)
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

    /// - Parameter pixels: `[n, height, width, 3]` in −1 … 1.
    /// - Returns: `specification.tokensPerImage` tokens for each image.
    package func encode(_ pixels: PixelBatch) -> Tokens {
        tokens(ofVectors: vectors(pixels))
    }

    /// - Parameter vectors: as ``vectors(_:)`` makes them.
    func tokens(ofVectors vectors: Tensor) -> Tokens {
        quantizer.tokens(ofVectors: vectors)
    }

    /// - Parameter tokens: every one in `0 ..< specification.codebookSize`.
    /// - Returns: `[n, height, width, 3]`, about −1 … 1.
    package func draw(_ tokens: Tokens) -> PixelBatch {
        precondition(tokens.tokensPerImage == quantizer.layout.tokens, "\(tokens.tokensPerImage) tokens for \(quantizer.layout)")
        let latents = normalizer.restore(rectifier(quantizer.latents(tokens)))
        return PixelBatch(latents.map.inParts(of: largestBatch) { vae.decoder($0) })
    }

    /// Latents as the quantiser compares them with codes, `[n, G·d]`.
    func vectors(_ pixels: PixelBatch) -> Tensor {
        quantizer.vectors(normalizer.normalize(latents(pixels)))
    }

    /// What the frozen encoder makes of pictures: the same for all tokenizers of one ``encoderDigest()``.
    package func latents(_ pixels: PixelBatch) -> Latents {
        precondition(pixels.pixels.h == height && pixels.pixels.w == width, "a \(width)×\(height) tokenizer got \(pixels.pixels.shape)")
        return Latents(pixels.pixels.inParts(of: largestBatch) { vae.encoder($0) })
    }

    /// - Parameter latents: of pictures of this size.
    package func tokens(of latents: Latents) -> Tokens {
        tokens(ofVectors: quantizer.vectors(normalizer.normalize(latents)))
    }

    /// The family of its autoencoder, by the class that diffusers or its `config.json` name.
    package var autoencoderFamily: String { vae.configuration.className }

    /// SHA-256 of the encoder's numbers by their names, whatever file they are from. Reads all of them.
    package func encoderDigest() -> String {
        let parts = vae.encoder.tensors.map { path, _, tensor in
            "\(path) \(tensor.shape) \(tensor.withPointer { FileDigest.sha256(of: UnsafeRawBufferPointer(start: $0, count: 4 * tensor.count)) })"
        }
        return FileDigest.sha256(([vae.configuration.className] + parts).joined(separator: "\n"))
    }

    /// Squared distance between what a token's stage quantises and one of its codes.
    /// - Parameter vectors: of one image, `[1, T·d]`.
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

/// Pictures of other sizes than those it was made for.
extension VisualTokenizer {
    /// Why there can be no tokenizer of some size, in one line.
    package struct SizeError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The same codes for pictures of another width and height: as many more or fewer tokens. What is no square it takes as pixels only.
    ///
    /// - Parameter memory: a picture that would take more is refused.
    /// - Throws: when codes, statistics or rectifier belong to one size, or the sides are no multiples of what they ask for.
    package func resized(width: Int, height: Int, within memory: MemoryLimit = .machine) throws(SizeError) -> VisualTokenizer {
        func refusal(_ reason: String) -> SizeError {
            SizeError(description: "this checkpoint cannot make tokens of \(width)×\(height) pixels: \(reason)")
        }
        let (factor, sides) = (vae.configuration.factor, 1...16_384)
        guard sides.contains(width), sides.contains(height), width % factor == 0, height % factor == 0 else {
            throw refusal("its autoencoder takes multiples of \(factor) pixels up to \(sides.upperBound)")
        }
        let shape = LatentShape(channels: specification.latentShape.channels, height: height / factor, width: width / factor)
        do {
            let parts = try quantizer.resized(to: shape, with: normalizer, behind: rectifier.configuration)
            return try VisualTokenizer(
                TokenizerSpecification(imageSize: min(width, height), parts.quantizer, rectifier), vae: vae, normalizer: parts.normalizer,
                quantizer: parts.quantizer, rectifier: rectifier, precision: precision, within: memory, width: width, height: height)
        } catch {
            throw refusal("\(error)")
        }
    }

    /// The smallest number of pixels of which any multiples can be a picture's sides.
    /// - Throws: when there is none.
    package var sizeStep: Int {
        get throws(SizeError) {
            let channels = specification.latentShape.channels
            func isPossible(_ height: Int, _ width: Int) -> Bool {
                let shape = LatentShape(channels: channels, height: height, width: width)
                return (try? quantizer.resized(to: shape, with: normalizer, behind: rectifier.configuration)) != nil
            }
            let extents = 1...max(specification.latentShape.height, specification.latentShape.width)
            guard let step = extents.first(where: { isPossible($0, $0) && isPossible(2 * $0, $0) && isPossible($0, 2 * $0) }) else {
                throw SizeError(
                    description: "this checkpoint makes tokens of \(width)×\(height) pixels only: codes, statistics or rectifier belong to that size")
            }
            return step * vae.configuration.factor
        }
    }
}
