import Glibc
import Images

/// What block DCT without learning gives at a tokenizer's own number of bits.
///
/// Everything that could be disputed is decided in the baseline's favour: its tables (levels, bits per coefficient, or step and
/// probabilities) are made from the very pictures that are measured and cost nothing, and the best block size is taken.
package struct DCTBaseline: Codable, Sendable, Equatable {
    package enum Coding: String, Codable, Sendable, CaseIterable {
        /// Every picture takes exactly the bits, as tokens do: each coefficient has a number of bits of its own, dealt out greedily
        /// where a bit saves most, and Lloyd–Max levels for its band.
        case fixedLength
        /// One uniform step with a dead zone for all coefficients, centroids as levels, and an ideal entropy coder: the first-order entropy of each
        /// band, averaged over all pictures. A picture may take more bits than another.
        case entropy
    }

    package let coding: Coding
    /// Of the blocks in pixels.
    package let side: Int
    /// Per picture, on average.
    package let bits: Double
    /// Mean PSNR in dB over RGB.
    package let psnr: Double
    package let images: Int

    private static let sides = [16, 32, 64, 128]
    /// More pictures make tables that fit each of them less well, and take memory.
    static let mostImages = 64

    /// Each block size, for every coding.
    ///
    /// - Parameters:
    ///   - pictures: of one size; at most ``mostImages``.
    ///   - bits: per picture.
    static func all(_ pictures: [RGBImage], bits: Double) -> [DCTBaseline] {
        let fitting = sides.filter { pictures[0].width % $0 == 0 && pictures[0].height % $0 == 0 }
        return fitting.flatMap { side in
            let bands = DCTBands(of: pictures, side: side)
            return Coding.allCases.map { DCTBaseline(pictures, bands, $0, bits: bits) }
        }
    }

    private init(_ pictures: [RGBImage], _ bands: DCTBands, _ coding: Coding, bits: Double) {
        let coded = coding == .fixedLength ? FixedLengthDCT(bands, bits: bits).coded : EntropyCodedDCT(bands, bits: bits).coded
        let psnr = pictures.indices.map { image in
            min(PictureDifference.perfectPSNR, PeakSignalToNoise.decibels(bands.picture(image, from: coded.values), pictures[image]))
        }
        (self.coding, side, self.bits) = (coding, bands.transform.side, coded.bits)
        (self.psnr, images) = (psnr.reduce(0, +) / Double(pictures.count), pictures.count)
    }
}
