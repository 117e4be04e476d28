/// Arranges a codebook's codes so that neighbours lie close together: the codes are halved again and again across the direction in
/// which they vary most, until no part has more than ``size`` of them.
///
/// Deterministic, and safe for any input: codes are compared by the order of their bit patterns, so NaN has a place too.
struct CodeCells {
    /// Codes in a cell.
    static let size = 64
    private static let sampleSize = 128

    /// `[count, d]`
    private let codes: UnsafePointer<Float>
    private let d: Int
    /// The index of each code below, its coordinate along the axis at hand above.
    private let keys: UnsafeMutableBufferPointer<UInt64>

    /// The indices of `codes`, `[count, d]`, cell after cell; only the last cell may hold fewer than ``size``.
    static func order(_ codes: UnsafePointer<Float>, count: Int, d: Int) -> [Int32] {
        var keys = (0..<UInt64(count)).map { $0 }
        keys.withUnsafeMutableBufferPointer { CodeCells(codes: codes, d: d, keys: $0).divide(0..<count) }
        return keys.map { Int32(truncatingIfNeeded: $0) }
    }

    private func divide(_ part: Range<Int>) {
        guard part.count > Self.size else { return }
        let axis = codes + widestAxis(part)
        for i in part {
            let code = keys[i] & 0xffff_ffff
            keys[i] = UInt64(orderedBits(axis[Int(code) * d])) << 32 | code
        }
        let cells = (part.count + Self.size - 1) / Self.size
        let middle = part.lowerBound + (cells + 1) / 2 * Self.size
        moveSmallest(of: part, before: middle)
        divide(part.lowerBound..<middle)
        divide(middle..<part.upperBound)
    }

    /// The coordinate with the largest variance, judged by a sample: any axis gives a valid order, and a good guess is enough.
    private func widestAxis(_ part: Range<Int>) -> Int {
        let sample = stride(from: part.lowerBound, to: part.upperBound, by: max(1, part.count / Self.sampleSize))
        var (widest, largest) = (0, -Float.infinity)
        for axis in 0..<d {
            var (sum, squares, count): (Float, Float, Float) = (0, 0, 0)
            for i in sample {
                let x = codes[Int(keys[i] & 0xffff_ffff) * d + axis]
                sum += x
                squares += x * x
                count += 1
            }
            let variance = squares - sum * sum / count
            if variance > largest { (widest, largest) = (axis, variance) }
        }
        return widest
    }

    /// Quickselect; the keys are distinct.
    private func moveSmallest(of part: Range<Int>, before middle: Int) {
        var (low, high) = (part.lowerBound, part.upperBound - 1)
        while low < high {
            let pivot = median(keys[low], keys[(low + high) / 2], keys[high])
            var (i, j) = (low, high)
            while i <= j {
                while keys[i] < pivot { i += 1 }
                while keys[j] > pivot { j -= 1 }
                if i <= j {
                    (keys[i], keys[j]) = (keys[j], keys[i])
                    i += 1
                    j -= 1
                }
            }
            if middle <= j {
                high = j
            } else if middle >= i {
                low = i
            } else {
                return
            }
        }
    }
}

/// The bits of `x` as a number that grows with x.
private func orderedBits(_ x: Float) -> UInt32 {
    let bits = x.bitPattern
    return bits >> 31 == 0 ? bits | 1 << 31 : ~bits
}

private func median(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
    max(min(a, b), min(max(a, b), c))
}
