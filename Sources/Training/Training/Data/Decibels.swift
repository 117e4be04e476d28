import Glibc
import TokenizerCore

/// Peak signal-to-noise ratios.
enum Decibels {
    /// PSNR over all channels of two 8-bit pictures of one size, with peak 255; at most 100.
    static func psnr(_ a: RGBImage, _ b: RGBImage) -> Double {
        precondition(a.pixels.count == b.pixels.count, "PSNR compares pictures of one size")
        let sum = zip(a.pixels, b.pixels).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
        return min(100, 10 * log10(255 * 255 * Double(a.pixels.count) / max(Double(sum), 1e-9)))
    }

    /// The PSNR of a mean squared error between pixels in −1 … 1 (peak to peak 2).
    static func text(ofSquaredError error: Double) -> String {
        text(10 * log10(4 / max(error, 1e-10)))
    }

    static func text(_ decibels: Double) -> String {
        "\((decibels * 100).rounded() / 100) dB"
    }
}
