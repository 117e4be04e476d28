/// The mean of squared differences, and its gradient.
public enum SquaredError {
    /// - Returns: mean (y − target)² over all elements, and d(mean)/dy.
    public static func loss(_ y: Tensor, _ target: Tensor) -> (value: Double, gradient: Tensor) {
        precondition(y.shape == target.shape, "\(y.shape) is compared with \(target.shape)")
        let count = y.count
        var gradient = Tensor(uninitialized: y.shape)
        var sum = 0.0
        gradient.withMutablePointer { gradient in
            y.withPointer { y in
                target.withPointer { target in
                    for i in 0..<count {
                        let difference = y[i] - target[i]
                        sum += Double(difference) * Double(difference)
                        gradient[i] = 2 * difference / Float(count)
                    }
                }
            }
        }
        return (sum / Double(max(count, 1)), gradient)
    }
}
