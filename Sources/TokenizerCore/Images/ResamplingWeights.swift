import Compute
import Glibc

/// The antialiased triangle filter along one axis, for a range of the resized positions.
///
/// Positions, order of operations and the rounding to 22-bit fixed point are Pillow's (`BILINEAR`), so that results are equal byte for byte.
/// Source: Pillow, `src/libImaging/Resample.c`.
struct ResamplingWeights {
    /// Source positions there are, and resized positions for which there are weights.
    let sourceCount: Int
    let count: Int
    /// Weights kept per position, the most source positions that one draws on; unused ones are zero.
    let taps: Int
    /// For each resized position, the first source position it draws on, and how many; neither start nor end ever goes back.
    private(set) var starts: [Int]
    private(set) var counts: [Int]
    /// `count × taps` fixed-point weights; each row sums to 1 up to rounding.
    private(set) var weights: [Int32]
    /// The source position that the first resized one equals, where every one equals the next source position: nothing is resized then.
    private(set) var copiedFrom: Int? = nil

    /// - Precondition: both counts are positive, and `range` lies in `0 ..< resizedCount`.
    init(sourceCount: Int, resizedCount: Int, range: Range<Int>) {
        precondition(sourceCount > 0 && resizedCount > 0 && range.lowerBound >= 0 && range.upperBound <= resizedCount)
        if sourceCount == resizedCount {
            self.init(copying: range, of: sourceCount)
        } else {
            self.init(scale: Double(sourceCount) / Double(resizedCount), sourceCount: sourceCount, range: range)
        }
    }

    /// The triangle then has its centre on one position, and nothing on the next.
    private init(copying range: Range<Int>, of sourceCount: Int) {
        (self.sourceCount, count, taps, copiedFrom) = (sourceCount, range.count, 1, range.lowerBound)
        starts = Array(range)
        counts = [Int](repeating: 1, count: range.count)
        weights = [Int32](repeating: 1 << Int32(ByteFilter.fractionBits), count: range.count)
    }

    /// - Parameter scale: source positions for each resized one.
    private init(scale: Double, sourceCount: Int, range: Range<Int>) {
        let support = max(scale, 1)
        self.sourceCount = sourceCount
        count = range.count
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
                weights[index * taps + tap] = Int32(0.5 + row[tap] / sum * Double(1 << ByteFilter.fractionBits))
            }
        }
    }

    /// Past the last source position that a resized one draws on.
    func end(of position: Int) -> Int { starts[position] + counts[position] }

    /// The source positions that all resized ones together draw on.
    var sourceRange: Range<Int> {
        guard let first = starts.first, let last = starts.last, let count = counts.last else { return 0..<0 }
        return first..<last + count
    }

    /// The same resized positions where both the source and they are counted from their ends.
    var mirrored: ResamplingWeights {
        var mirrored = self
        mirrored.copiedFrom = nil
        for (index, position) in (0..<count).reversed().enumerated() {
            mirrored.starts[index] = sourceCount - starts[position] - counts[position]
            mirrored.counts[index] = counts[position]
            for tap in 0..<counts[position] {
                mirrored.weights[index * taps + tap] = weights[position * taps + counts[position] - 1 - tap]
            }
        }
        return mirrored
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
