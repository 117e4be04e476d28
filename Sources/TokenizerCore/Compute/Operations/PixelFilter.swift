import CKernels

/// Sums along a row of pixels of three bytes times fixed-point weights: what ``ByteFilter`` does with whole rows, the same integers.
///
/// The weights are laid out once for all rows of a picture: processors multiply 16-bit numbers fastest, and two of 11 bits make one weight.
package struct PixelFilter: Sendable {
    private static let together = Int(REVQ_PIXELS_TOGETHER)

    private let kernels = ComputeContext.current.kernels
    /// The pixels of a row that are read.
    private let range: Range<Int>
    /// For each pixel of the result, the first of the row that it reads.
    private let starts: [Int]
    /// So many times ``together`` pixels are read for each.
    private let groups: Int
    /// `[starts.count, groups]` of what `revq_pack_pixel_weights` writes.
    private let weights: [Int16]

    /// - Parameters:
    ///   - starts, counts: for each pixel of the result, the first of the row that it draws on, and how many, at least one.
    ///   - weights: `taps` for each pixel of the result; 1 is 2 to the power of ``ByteFilter/fractionBits``, and none is 16 or more.
    package init(starts: [Int], counts: [Int], weights: [Int32], taps: Int) {
        let groups = (taps + Self.together - 1) / Self.together
        let range = (starts.min() ?? 0)..<(zip(starts, counts).map(+).max() ?? 0)
        // Whoever begins too near the end for whole groups begins earlier, with weights of nought.
        let last = max(range.upperBound - Self.together * groups, range.lowerBound)
        let shifted = starts.map { min($0, last) }
        let stride = groups * Int(REVQ_PIXEL_WEIGHTS)
        self.weights = [Int16](unsafeUninitializedCapacity: starts.count * stride) { packed, count in
            for (index, start) in starts.enumerated() {
                weights.withUnsafeBufferPointer { weights in
                    revq_pack_pixel_weights(
                        weights.baseAddress! + index * taps, counts[index], start - shifted[index], groups, packed.baseAddress! + index * stride)
                }
            }
            count = starts.count * stride
        }
        (self.range, self.starts, self.groups) = (range, shifted, groups)
    }

    /// The memory that weights take when they are laid out.
    package static func bytes(columns: Int, taps: Int) -> Int {
        columns * (taps + together - 1) / together * Int(REVQ_PIXEL_WEIGHTS) * MemoryLayout<Int16>.size
    }

    /// - Parameters:
    ///   - row: pixels of three bytes.
    ///   - result: as many pixels as there are starts.
    package func resize(_ row: UnsafePointer<UInt8>, to result: UnsafeMutablePointer<UInt8>) {
        let needed = Self.together * groups
        guard range.count < needed else { return kernels.resize_rgb_row(row, starts, weights, groups, starts.count, result) }
        // A picture narrower than its groups: copied, with room behind it.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 * needed) { copy in
            copy.initialize(repeating: 0)
            copy.baseAddress!.update(from: row + 3 * range.lowerBound, count: 3 * range.count)
            kernels.resize_rgb_row(copy.baseAddress! - 3 * range.lowerBound, starts, weights, groups, starts.count, result)
        }
    }
}
