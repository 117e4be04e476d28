import Glibc
import Images

/// The baseline without learning: every 16×16 block keeps its lowest six luma DCT coefficients and the mean of each chroma channel,
/// unquantised. A 256×256 image keeps 2,048 numbers. Larger blocks make a stronger baseline, see `Benchmarks/revq_bench/block_dct.py`.
package enum BlockDCT {
    private static let side = 16
    /// (vertical, horizontal) frequencies, in zigzag order.
    private static let lumaFrequencies = [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2)]

    /// The image drawn from its kept coefficients.
    /// - Precondition: 16 divides both sides.
    package static func lowestCoefficients(of image: RGBImage) -> RGBImage {
        precondition(image.width % side == 0 && image.height % side == 0, "blocks of 16 do not cover \(image.width)×\(image.height)")
        var pixels = image.pixels
        for top in stride(from: 0, to: image.height, by: side) {
            for left in stride(from: 0, to: image.width, by: side) { redraw(&pixels, width: image.width, top, left) }
        }
        return RGBImage(width: image.width, height: image.height, pixels: pixels)
    }

    private static func redraw(_ pixels: inout [UInt8], width: Int, _ top: Int, _ left: Int) {
        let offsets = (0..<side * side).map { ((top + $0 / side) * width + left + $0 % side) * 3 }
        var (y, cb, cr) = ([Double](), 0.0, 0.0)
        for offset in offsets {
            let (r, g, b) = (Double(pixels[offset]), Double(pixels[offset + 1]), Double(pixels[offset + 2]))
            let luma = 0.299 * r + 0.587 * g + 0.114 * b
            y.append(luma)
            cb += (b - luma) / Double(offsets.count)
            cr += (r - luma) / Double(offsets.count)
        }
        let luma = lowPass(y)
        for (i, offset) in offsets.enumerated() {
            let (r, b) = (luma[i] + cr, luma[i] + cb)
            let g = (luma[i] - 0.299 * r - 0.114 * b) / 0.587
            for (channel, value) in [r, g, b].enumerated() { pixels[offset + channel] = UInt8(max(0, min(255, value.rounded()))) }
        }
    }

    private static func lowPass(_ block: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: block.count)
        for (v, u) in lumaFrequencies {
            let wave = (0..<block.count).map { basis[v][$0 / side] * basis[u][$0 % side] }
            let coefficient = zip(wave, block).reduce(0) { $0 + $1.0 * $1.1 }
            for i in block.indices { result[i] += coefficient * wave[i] }
        }
        return result
    }

    /// Orthonormal cosines, `[frequency][position]`.
    private static let basis: [[Double]] = (0..<3).map { frequency in
        let scale = (frequency == 0 ? 1.0 : 2.0) / Double(side)
        return (0..<side).map { scale.squareRoot() * cos(.pi * (Double($0) + 0.5) * Double(frequency) / Double(side)) }
    }
}
