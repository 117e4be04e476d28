extension Tensor {
    /// Adds `other`, element by element.
    /// - Precondition: equal shapes.
    public mutating func add(_ other: Tensor) {
        precondition(shape == other.shape, "cannot add \(other.shape) to \(shape)")
        let count = self.count
        withMutablePointer { target in
            other.withPointer { source in
                for i in 0..<count { target[i] += source[i] }
            }
        }
    }

    public mutating func multiply(by factor: Float) {
        let count = self.count
        withMutablePointer { for i in 0..<count { $0[i] *= factor } }
    }

    /// Σ x², accumulated in double precision.
    public var sumOfSquares: Double {
        withPointer { x in
            var sum = 0.0
            for i in 0..<count { sum += Double(x[i]) * Double(x[i]) }
            return sum
        }
    }

    /// Whether no element is NaN or infinite.
    public var isFinite: Bool {
        withPointer { x in
            // x · 0 is 0 for finite x and NaN otherwise, so one sum answers for all without a branch per element.
            var sum: Float = 0
            for i in 0..<count { sum += x[i] * 0 }
            return sum == 0
        }
    }

    /// Images `range` of a batch `[n, …]`, copied.
    public func images(_ range: Range<Int>) -> Tensor {
        let stride = count / max(shape[0], 1)
        var part = Tensor(uninitialized: [range.count] + shape.dropFirst())
        part.withMutablePointer { target in
            withPointer { target.update(from: $0 + range.lowerBound * stride, count: range.count * stride) }
        }
        return part
    }
}
