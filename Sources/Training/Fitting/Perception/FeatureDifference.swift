import Compute

/// Σ over channels of weight · (a / |a| − b / |b|)², averaged over positions.
struct FeatureDifference {
    /// `[c]`
    let weights: [Float]

    /// Added to a length before it divides, as LPIPS does.
    private static let epsilon: Float = 1e-10

    /// - Parameters:
    ///   - a: `[n, h, w, c]`.
    ///   - b: of the same shape.
    /// - Returns: of each image.
    func distances(_ a: Tensor, _ b: Tensor) -> [Double] {
        let (c, pixels) = (a.c, a.h * a.w)
        return (0..<a.n).map { image in
            var sums = [Double](repeating: 0, count: RowPieces.count(rows: pixels, width: c))
            sums.withUnsafeMutableBufferPointer { sums in
                let sums = sums.baseAddress!
                withPointers(reading: a, b) { a, b in
                    RowPieces.forEach(rows: pixels, width: c) { range, piece in
                        for pixel in range {
                            let start = (image * pixels + pixel) * c
                            sums[piece] += Double(distance(a + start, Self.scale(a + start, c), b + start, Self.scale(b + start, c), c))
                        }
                    }
                }
            }
            return sums.reduce(0, +) / Double(pixels)
        }
    }

    /// The mean over images, and its gradient for `a`.
    func loss(_ a: Tensor, _ b: Tensor) -> (value: Double, gradient: Tensor) {
        let (c, rows) = (a.c, a.rows)
        var gradient = Tensor(uninitialized: a.shape)
        var sums = [Double](repeating: 0, count: RowPieces.count(rows: rows, width: c))
        sums.withUnsafeMutableBufferPointer { sums in
            let sums = sums.baseAddress!
            withPointers(writing: &gradient, reading: a, b) { gradient, a, b in
                RowPieces.forEach(rows: rows, width: c) { range, piece in
                    for row in range {
                        let start = row * c
                        sums[piece] += Double(slope(a + start, b + start, c, factor: 1 / Float(rows), into: gradient + start))
                    }
                }
            }
        }
        return (sums.reduce(0, +) / Double(rows), gradient)
    }

    /// The distance at one position, and `factor` times its gradient.
    private func slope(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: Int, factor: Float, into gradient: UnsafeMutablePointer<Float>
    ) -> Float {
        let (p, q) = (Self.scale(a, c), Self.scale(b, c))
        // First for a / |a|; then what changes its length is taken away.
        var along: Float = 0
        for i in 0..<c {
            gradient[i] = 2 * factor * weights[i] * (a[i] * p - b[i] * q)
            along += gradient[i] * a[i]
        }
        along *= p * p
        for i in 0..<c { gradient[i] = p * (gradient[i] - along * a[i]) }
        return distance(a, p, b, q, c)
    }

    private func distance(_ a: UnsafePointer<Float>, _ p: Float, _ b: UnsafePointer<Float>, _ q: Float, _ c: Int) -> Float {
        var sum: Float = 0
        for i in 0..<c {
            let difference = a[i] * p - b[i] * q
            sum += weights[i] * difference * difference
        }
        return sum
    }

    /// One over the length; of nothing, zero, so that it pulls nowhere.
    private static func scale(_ a: UnsafePointer<Float>, _ c: Int) -> Float {
        var sum: Float = 0
        for i in 0..<c { sum += a[i] * a[i] }
        return sum > 0 ? 1 / (sum.squareRoot() + epsilon) : 0
    }
}
