import Compute
import Glibc
import Images
import Jobs
import Networks
import TokenizerCore

/// How far pictures of quantised latents are from the autoencoder's own pictures of the same latents.
package struct PictureQuality: Codable, Equatable, Sendable {
    /// Mean squared error of 8-bit RGB values, after the quantiser, and after the rectifier.
    package let quantizedMSE: Double
    package let rectifiedMSE: Double
    package let images: Int

    /// More pictures are not worth the time that decoding takes.
    private static let largestCount = 64
    private static let batch = 8

    /// - Parameter latents: normalised; at most 64 of them are decoded.
    package init(
        of latents: Latents, _ normalizer: LatentNormalizer, _ quantizer: GroupQuantizer, _ rectifier: Rectifier, _ decoder: AnyLayer
    ) {
        let chosen = latents.spread(Self.largestCount)
        let pictures = { (z: Latents) in PixelBatch(decoder(normalizer.restore(z).map)).images() }
        var (quantized, rectified) = (0.0, 0.0)
        for z in chosen.batches(of: Self.batch) {
            let q = quantizer.latents(quantizer.tokens(z))
            let own = pictures(z)
            quantized += Self.error(pictures(q), own)
            guard rectifier.configuration.network != .identity else { continue }
            rectified += Self.error(pictures(rectifier(q)), own)
        }
        images = chosen.count
        quantizedMSE = quantized / Double(images)
        rectifiedMSE = rectifier.configuration.network == .identity ? quantizedMSE : rectified / Double(images)
    }

    /// The sum over images of their mean squared errors.
    private static func error(_ pictures: [RGBImage], _ own: [RGBImage]) -> Double {
        zip(pictures, own).reduce(0) { sum, pair in
            let squares = zip(pair.0.pixels, pair.1.pixels).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
            return sum + Double(squares) / Double(pair.0.pixels.count)
        }
    }

    /// PSNR in dB against the autoencoder's own pictures.
    var psnr: Double { 10 * log10(255 * 255 / quantizedMSE) }

    /// One line for a person.
    var summary: String {
        let rectifiedPSNR = 10 * log10(255 * 255 / rectifiedMSE)
        return "against the autoencoder's own pictures of \(Figure.count(images, "held-out image")): squared error \(Figure.text(quantizedMSE)) "
            + "(\(Figure.text(psnr)) dB) quantised, \(Figure.text(rectifiedMSE)) (\(Figure.text(rectifiedPSNR)) dB) rectified"
    }
}
