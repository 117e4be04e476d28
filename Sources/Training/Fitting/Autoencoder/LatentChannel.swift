import Compute
import Files
import Networks
import TokenizerCore

/// What latents pass through on the way from encoder to decoder while these are trained.
enum LatentChannel: Sendable {
    /// They arrive whole.
    case open
    /// What quantisation at some rate would do to them, in a form that gradients pass through.
    case test(TestChannel)
    /// What is left of them in the tokens of a fitted quantiser.
    case tokens(TokenChannel)

    /// - Parameters:
    ///   - z: `[n, h, w, c]`.
    ///   - random: where a test channel's noise comes from.
    func passage(of z: consuming Tensor, _ random: inout RandomSource) -> Passage {
        switch self {
        case .open: .open(z)
        case .test(let channel): .test(channel.passage(of: z, &random))
        case .tokens(let channel): .tokens(channel.passage(of: z))
        }
    }

    /// One way through.
    enum Passage {
        case open(Tensor)
        case test(TestChannel.Passage)
        case tokens(TokenChannel.Passage)

        /// What arrives.
        var output: Tensor {
            switch self {
            case .open(let z): z
            case .test(let passage): passage.output
            case .tokens(let passage): passage.output
            }
        }

        /// The gradient for what was sent, given the one for ``output``. Past tokens it goes straight: they are flat nearly everywhere, and the
        /// latents that they stand for are moved best by moving those that were sent. Source: VQ-VAE (arXiv 1711.00937), section 3.2.
        func backward(_ dy: consuming Tensor) -> Tensor {
            if case .test(let passage) = self { return passage.backward(dy) }
            return dy
        }
    }
}

/// What a fitted quantiser's tokens leave of latents.
package struct TokenChannel: Sendable {
    /// The quantiser for each size of latents, by their height.
    private var fits: [Int: FittedQuantizer]

    /// - Parameter imageSizes: the sides of the images whose latents are passed.
    /// - Throws: when the quantiser's codes, statistics or rectifier belong to images of another size.
    init(_ fit: FittedQuantizer, imageSizes: Set<Int>) throws(FileError) {
        var fits: [Int: FittedQuantizer] = [:]
        for size in imageSizes {
            let resized = size == fit.description.imageSize ? fit : try fit.resized(toImageSize: size)
            fits[resized.description.latentShape.height] = resized
        }
        self.fits = fits
    }

    /// Of all sizes: `[codebooks, N, d]`.
    var codebooks: Tensor {
        get { fits.first!.value.quantizer.codebooks }
        set { fits = fits.mapValues { $0.with(codebooks: newValue) } }
    }

    /// - Parameter count: numbers of an image's vectors together.
    func quantizer(ofVectors count: Int) -> GroupQuantizer {
        guard let fit = fits.values.first(where: { $0.quantizer.shape.count == count }) else { preconditionFailure("no tokens of \(count) numbers") }
        return fit.quantizer
    }

    /// - Parameter z: `[n, h, w, c]`, of one of the sizes that were named.
    func passage(of z: Tensor) -> Passage {
        guard let fit = fits[z.h] else { preconditionFailure("no tokens for latents of \(z.shape)") }
        let vectors = fit.quantizer.vectors(fit.normalizer.normalize(Latents(z)))
        let quantized = fit.quantizer.latents(fit.quantizer.tokens(ofVectors: vectors))
        return Passage(sent: z, vectors: vectors, output: fit.normalizer.restore(fit.rectifier(quantized)).map)
    }

    /// One way through the channel.
    struct Passage {
        /// `[n, h, w, c]`.
        fileprivate let sent: Tensor
        /// What was compared with the codes, `[n, G·d]`.
        let vectors: Tensor
        /// What the tokens of each image stand for, of the shape of what was sent.
        let output: Tensor

        /// The mean squared difference between what was sent and what its tokens stand for, and its gradient for what was sent.
        func error() -> (value: Double, gradient: Tensor) {
            let error = SquaredError.loss(sent, output)
            return (error.value, error.gradient)
        }
    }
}
