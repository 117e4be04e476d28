import Compute
import Images
import Jobs
import Networks
import TokenizerCore

/// How near pictures of quantised latents are to the pictures that the latents were made from.
package struct PictureFidelity: Codable, Equatable, Sendable {
    /// What the pictures are of.
    package let part: Split.Part
    /// PSNR in dB over RGB, 8 bit: by the autoencoder alone, after the quantiser, and after the rectifier.
    package let autoencoder, quantized, rectified: PictureMean
    /// What the rectifier adds to each picture, in dB.
    package let gain: PictureMean

    /// Equal pictures have no finite PSNR; this is what they count in means, about that of one wrong bit in a million.
    package static let perfectPSNR = 100.0

    /// - Parameters:
    ///   - originals: of each drawn picture.
    ///   - sources: which pictures they are squares of.
    init(_ part: Split.Part, _ drawn: DrawnPictures, originals: [RGBImage], sources: [PictureKey]) {
        func psnr(_ pictures: [RGBImage]) -> [Double] {
            zip(pictures, originals).map { min(Self.perfectPSNR, PeakSignalToNoise.decibels($0, $1)) }
        }
        let (quantized, rectified) = (psnr(drawn.quantized), psnr(drawn.rectified))
        self.part = part
        autoencoder = PictureMean(psnr(drawn.own), of: sources)
        self.quantized = PictureMean(quantized, of: sources)
        self.rectified = PictureMean(rectified, of: sources)
        gain = PictureMean(zip(rectified, quantized).map { $0 - $1 }, of: sources)
    }

    /// One line for a person.
    var summary: String {
        "against the originals, \(part.rawValue) part, \(Figure.count(quantized.pictures, "picture")), 95 % intervals: PSNR \(quantized.decibels) quantised, "
            + "\(rectified == quantized ? "" : "\(rectified.decibels) rectified (gain \(gain.decibels)), ")\(autoencoder.decibels) by the autoencoder alone"
    }

    /// A warning where the rectifier brings latents nearer and pictures not.
    /// - Parameter quality: of the latents.
    func alarm(_ quality: LatentQuality) -> String? {
        guard quality.rectifiedMSE < quality.quantizedMSE, gain.low ?? gain.mean <= 0 else { return nil }
        return "warning: the rectifier makes latents better, their error falls from \(Figure.text(quality.quantizedMSE)) to "
            + "\(Figure.text(quality.rectifiedMSE)), and pictures not: \(gain.decibels) against the originals of the \(part.rawValue) part; "
            + "without one the pictures are as good"
    }
}
