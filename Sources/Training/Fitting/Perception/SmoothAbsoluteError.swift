import Compute

/// The mean of √(difference² + ε²) − ε, and its gradient; with ε = 0 the mean absolute error.
struct SmoothAbsoluteError {
    /// ε, in the pixels' units.
    let softness: Float

    /// - Returns: the mean over all elements, and d(mean)/dy, which is 0 where there is no difference.
    func loss(_ y: Tensor, _ target: Tensor) -> (value: Double, gradient: Tensor) {
        precondition(y.shape == target.shape, "\(y.shape) is compared with \(target.shape)")
        let (count, square) = (y.count, softness * softness)
        var gradient = Tensor(uninitialized: y.shape)
        var sums = [Double](repeating: 0, count: RowPieces.count(rows: count, width: 1))
        sums.withUnsafeMutableBufferPointer { sums in
            let sums = sums.baseAddress!
            withPointers(writing: &gradient, reading: y, target) { gradient, y, target in
                RowPieces.forEach(rows: count, width: 1) { range, piece in
                    for i in range {
                        let difference = y[i] - target[i]
                        let length = (difference * difference + square).squareRoot()
                        sums[piece] += Double(length - softness)
                        gradient[i] = length > 0 ? difference / length / Float(count) : 0
                    }
                }
            }
        }
        return (sums.reduce(0, +) / Double(max(count, 1)), gradient)
    }
}
