/// The mean of squared differences, and its gradient.
package enum SquaredError {
    /// - Returns: mean (y − target)² over all elements, and d(mean)/dy.
    package static func loss(_ y: Tensor, _ target: Tensor) -> (value: Double, gradient: Tensor) {
        precondition(y.shape == target.shape, "\(y.shape) is compared with \(target.shape)")
        let count = y.count
        var gradient = Tensor(uninitialized: y.shape)
        let value = gradient.withMutablePointer { gradient in
            mean(y, target) { gradient[$0] = 2 * $1 / Float(count) }
        }
        return (value, gradient)
    }

    /// - Returns: mean (y − target)² over all elements.
    package static func mean(_ y: Tensor, _ target: Tensor) -> Double {
        precondition(y.shape == target.shape, "\(y.shape) is compared with \(target.shape)")
        return mean(y, target) { _, _ in }
    }

    /// - Parameter visit: is told the place and the difference of every element, by several threads.
    @inline(__always)
    private static func mean(_ y: Tensor, _ target: Tensor, _ visit: (Int, Float) -> Void) -> Double {
        let count = y.count
        var sums = [Double](repeating: 0, count: RowPieces.count(rows: count, width: 1))
        sums.withUnsafeMutableBufferPointer { sums in
            let sums = sums.baseAddress
            withPointers(reading: y, target) { y, target in
                RowPieces.forEach(rows: count, width: 1) { range, piece in
                    var sum = 0.0
                    for i in range {
                        let difference = y[i] - target[i]
                        sum += Double(difference) * Double(difference)
                        visit(i, difference)
                    }
                    sums![piece] = sum
                }
            }
        }
        return sums.reduce(0, +) / Double(max(count, 1))
    }
}
