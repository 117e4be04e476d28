import Glibc

/// How alike two pictures are.
package enum PeakSignalToNoise {
    /// PSNR in dB over all bytes of all channels; infinite for equal pictures.
    /// - Precondition: equal sizes.
    package static func decibels(_ a: RGBImage, _ b: RGBImage) -> Double {
        precondition(a.width == b.width && a.height == b.height, "\(a.width)×\(a.height) is compared with \(b.width)×\(b.height)")
        var sum = 0
        for (x, y) in zip(a.pixels, b.pixels) { sum += (Int(x) - Int(y)) * (Int(x) - Int(y)) }
        return decibels(meanSquaredError: Double(sum) / Double(a.pixels.count))
    }

    /// - Parameter meanSquaredError: in units of one step of 255.
    package static func decibels(meanSquaredError: Double) -> Double {
        10 * log10(255 * 255 / meanSquaredError)
    }
}
