import Compute
import Files
import Networks

/// What latents pass through on the way from encoder to decoder while these are trained.
enum LatentChannel: Sendable {
    /// They arrive whole.
    case open
    /// What quantisation at some rate would do to them, in a form that gradients pass through.
    case test(TestChannel)
    /// What is left of them in the tokens of a fitted quantiser. No gradient passes: it is for decoders.
    case tokens(TokenChannel)
}

/// What a fitted quantiser's tokens leave of latents.
package struct TokenChannel: Sendable {
    /// The quantiser for each size of latents, by their height.
    private let fits: [Int: FittedQuantizer]

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

    /// - Parameter z: `[n, h, w, c]`, of one of the sizes that were named.
    /// - Returns: what the tokens of each image stand for, of the same shape.
    func passage(of z: Tensor) -> Tensor {
        guard let fit = fits[z.h] else { preconditionFailure("no tokens for latents of \(z.shape)") }
        let tokens = fit.quantizer.tokens(fit.normalizer.normalize(Latents(z)))
        return fit.normalizer.restore(fit.rectifier(fit.quantizer.latents(tokens))).map
    }
}
