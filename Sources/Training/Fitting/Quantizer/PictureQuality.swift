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

    init(_ drawn: DrawnPictures) {
        func error(_ pictures: [RGBImage]) -> Double {
            zip(pictures, drawn.own).reduce(0) { sum, pair in
                let squares = zip(pair.0.pixels, pair.1.pixels).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
                return sum + Double(squares) / Double(pair.0.pixels.count)
            } / Double(pictures.count)
        }
        (quantizedMSE, rectifiedMSE, images) = (error(drawn.quantized), error(drawn.rectified), drawn.own.count)
    }

    /// PSNR in dB against the autoencoder's own pictures.
    var psnr: Double { PeakSignalToNoise.decibels(meanSquaredError: quantizedMSE) }

    /// One line for a person.
    var summary: String {
        let rectifiedPSNR = PeakSignalToNoise.decibels(meanSquaredError: rectifiedMSE)
        return "against the autoencoder's own pictures of \(Figure.count(images, "held-out image")): squared error \(Figure.text(quantizedMSE)) "
            + "(\(Figure.text(psnr)) dB) quantised"
            + (rectifiedMSE == quantizedMSE ? "" : ", \(Figure.text(rectifiedMSE)) (\(Figure.text(rectifiedPSNR)) dB) rectified")
    }
}

/// What a decoder draws of some latents: as they are, after the quantiser, and after the rectifier.
struct DrawnPictures {
    var own, quantized, rectified: [RGBImage]

    private static let batch = 8
}

extension DrawnPictures {
    /// - Parameter latents: normalised.
    init(of latents: Latents, _ normalizer: LatentNormalizer, _ quantizer: GroupQuantizer, _ rectifier: Rectifier, _ decoder: AnyLayer) {
        (own, quantized, rectified) = ([], [], [])
        let pictures = { (z: Latents) in PixelBatch(decoder(normalizer.restore(z).map)).images() }
        for z in latents.batches(of: Self.batch) {
            let q = quantizer.latents(quantizer.tokens(z))
            own += pictures(z)
            quantized += pictures(q)
            rectified += rectifier.configuration.network == .identity ? quantized.suffix(z.count) : pictures(rectifier(q))
        }
    }
}
