import Glibc

/// The antialiased triangle filter along one axis, for a range of the resized positions.
///
/// Positions, order of operations and the rounding to 22-bit fixed point are Pillow's (`BILINEAR`), so that results are equal byte for byte.
/// Source: Pillow, `src/libImaging/Resample.c`.
struct ResamplingWeights {
    static let fractionBits = 22

    /// Resized positions for which there are weights.
    let range: Range<Int>
    /// Weights kept per position; unused ones are zero.
    let taps: Int
    /// For each position of ``range``, the first source position it draws on, and how many.
    private(set) var starts: [Int]
    private(set) var counts: [Int]
    /// `range.count × taps` fixed-point weights; each row sums to 1 up to rounding.
    private(set) var weights: [Int32]

    /// - Precondition: both counts are positive, and `range` lies in `0 ..< resizedCount`.
    init(sourceCount: Int, resizedCount: Int, range: Range<Int>) {
        precondition(sourceCount > 0 && resizedCount > 0 && range.lowerBound >= 0 && range.upperBound <= resizedCount)
        let scale = Double(sourceCount) / Double(resizedCount)
        let support = max(scale, 1)
        self.range = range
        taps = Int(support.rounded(.up)) * 2 + 1
        starts = []
        counts = []
        weights = [Int32](repeating: 0, count: range.count * taps)
        var row = [Double](repeating: 0, count: taps)
        for (index, position) in range.enumerated() {
            let center = (Double(position) + 0.5) * scale
            let start = max(Int(center - support + 0.5), 0)
            let count = min(Int(center + support + 0.5), sourceCount) - start
            starts.append(start)
            counts.append(count)
            let sum = Self.fillTriangle(&row, count: count, start: start, center: center, support: support)
            for tap in 0..<count {
                weights[index * taps + tap] = Int32(0.5 + row[tap] / sum * Double(1 << Self.fractionBits))
            }
        }
    }

    /// The source positions that ``range`` draws on.
    var sourceRange: Range<Int> {
        guard let first = starts.first, let last = starts.last, let count = counts.last else { return 0..<0 }
        return first..<last + count
    }

    private static func fillTriangle(_ row: inout [Double], count: Int, start: Int, center: Double, support: Double) -> Double {
        let inverse = 1 / support
        var sum = 0.0
        for tap in 0..<count {
            row[tap] = max(0, 1 - abs((Double(start + tap) - center + 0.5) * inverse))
            sum += row[tap]
        }
        return sum
    }
}
