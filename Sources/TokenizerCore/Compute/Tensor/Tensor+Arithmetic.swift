import Synchronization

extension Tensor {
    /// Adds `other`, element by element.
    /// - Precondition: equal shapes.
    package mutating func add(_ other: Tensor) {
        precondition(shape == other.shape, "cannot add \(other.shape) to \(shape)")
        let (count, kernels) = (self.count, InstructionSet.current.kernels)
        withMutablePointer { target in
            other.withPointer { source in
                RowPieces.forEach(rows: count, width: 1) { range in
                    kernels.add(target + range.lowerBound, source + range.lowerBound, range.count)
                }
            }
        }
    }

    /// The sum of what there is.
    /// - Precondition: at least one, and equal shapes.
    package static func sum(_ x: consuming Tensor?, _ y: consuming Tensor?) -> Tensor {
        guard var sum = x else {
            guard let y else { preconditionFailure("a sum of nothing") }
            return y
        }
        if let y { sum.add(y) }
        return sum
    }

    package mutating func multiply(by factor: Float) {
        let count = self.count
        withMutablePointer { values in
            RowPieces.forEach(rows: count, width: 1) { range in
                for i in range { values[i] *= factor }
            }
        }
    }

    /// Becomes `keep` of itself and the rest of `other`, element by element.
    /// - Precondition: equal shapes.
    package mutating func mix(with other: Tensor, keeping keep: Float) {
        precondition(shape == other.shape, "cannot mix \(other.shape) with \(shape)")
        let count = self.count
        withMutablePointer { target in
            other.withPointer { source in
                RowPieces.forEach(rows: count, width: 1) { range in
                    for i in range { target[i] = keep * target[i] + (1 - keep) * source[i] }
                }
            }
        }
    }

    /// Σ x², accumulated in double precision.
    package var sumOfSquares: Double {
        let (count, kernels) = (self.count, InstructionSet.current.kernels)
        let pieces = RowPieces.count(rows: count, width: 1)
        let sums = [Double](unsafeUninitializedCapacity: pieces) { sums, filled in
            filled = pieces
            guard let sums = sums.baseAddress else { return }
            withPointer { x in
                RowPieces.forEach(rows: count, width: 1) { range, piece in
                    sums[piece] = kernels.sum_squares(x + range.lowerBound, range.count)
                }
            }
        }
        return sums.reduce(0, +)
    }

    /// Whether no element is NaN or infinite.
    package var isFinite: Bool {
        let count = count
        let isFlawed = Atomic(false)
        withPointer { x in
            RowPieces.forEach(rows: count, width: 1) { range in
                // x · 0 is 0 for finite x and NaN otherwise, so one sum answers for all without a branch per element.
                var sum: Float = 0
                for i in range { sum += x[i] * 0 }
                if sum != 0 { isFlawed.store(true, ordering: .relaxed) }
            }
        }
        return !isFlawed.load(ordering: .relaxed)
    }

    /// Images `range` of a batch `[n, …]`: a view of the same memory, which the first write to either copies.
    package func images(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "images \(range) of \(shape)")
        return Tensor(viewing: self, from: range.lowerBound * (count / max(shape[0], 1)), shape: [range.count] + shape.dropFirst())
    }
}
