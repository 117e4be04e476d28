import CKernels
import Synchronization

extension Tensor {
    /// Adds `other`, element by element.
    /// - Precondition: equal shapes.
    package mutating func add(_ other: Tensor) {
        precondition(shape == other.shape, "cannot add \(other.shape) to \(shape)")
        let (count, kernels) = (self.count, ComputeContext.current.kernels)
        withPointers(writing: &self, reading: other) { target, source in
            RowPieces.forEach(rows: count, width: 1) { range in
                kernels.add(target + range.lowerBound, source + range.lowerBound, range.count)
            }
        }
    }

    /// The same with `activation` applied to the sums, in one pass.
    /// - Precondition: equal shapes.
    package mutating func add(_ other: Tensor, thenApplying activation: Activation) {
        precondition(shape == other.shape, "cannot add \(other.shape) to \(shape)")
        let (count, kernels) = (self.count, ComputeContext.current.kernels)
        withPointers(writing: &self, reading: other) { target, source in
            RowPieces.forEach(rows: count, width: 1) { range in
                // A piece is still in the cache when it is read again.
                let part = target + range.lowerBound
                kernels.add(part, source + range.lowerBound, range.count)
                kernels.activate(part, range.count, revq_activation(activation), part)
            }
        }
    }

    /// Takes `other` away, element by element.
    /// - Precondition: equal shapes.
    package mutating func subtract(_ other: Tensor) {
        precondition(shape == other.shape, "cannot subtract \(other.shape) from \(shape)")
        let count = self.count
        withPointers(writing: &self, reading: other) { target, source in
            RowPieces.forEach(rows: count, width: 1) { range in
                for i in range { target[i] -= source[i] }
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

    /// Becomes `factor · x + offset`, element by element.
    package mutating func scale(by factor: Float, plus offset: Float) {
        let count = self.count
        withMutablePointer { values in
            RowPieces.forEach(rows: count, width: 1) { range in
                for i in range { values[i] = factor * values[i] + offset }
            }
        }
    }

    /// Becomes `keep` of itself and the rest of `other`, element by element.
    /// - Precondition: equal shapes.
    package mutating func mix(with other: Tensor, keeping keep: Float) {
        precondition(shape == other.shape, "cannot mix \(other.shape) with \(shape)")
        let count = self.count
        withPointers(writing: &self, reading: other) { target, source in
            RowPieces.forEach(rows: count, width: 1) { range in
                for i in range { target[i] = keep * target[i] + (1 - keep) * source[i] }
            }
        }
    }

    /// Σ x², accumulated in double precision.
    package var sumOfSquares: Double {
        let (count, kernels) = (self.count, ComputeContext.current.kernels)
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
}

extension Tensor {
    /// The sums and the sums of products of a matrix's columns: Σx as `[c]` and xᵀx as `[c, c]`, row-major.
    ///
    /// Bands of rows are multiplied in single precision and added up in double, which keeps about seven digits for any number of rows.
    package func moments() -> (sums: [Double], products: [Double]) {
        let (rows, c) = (self.rows, self.c)
        var sums = [Double](repeating: 0, count: c)
        var products = [Double](repeating: 0, count: c * c)
        var band = Tensor(uninitialized: [c, c])
        withPointer { x in
            for first in stride(from: 0, to: rows, by: 512) {
                let height = min(512, rows - first)
                let view = MatrixView(base: x + first * c, stride: c)
                band.withMutablePointer { band in
                    MatrixProduct.multiply(view.transposed, view, into: band, stride: c, m: c, n: c, k: height)
                    for i in 0..<c * c { products[i] += Double(band[i]) }
                }
                for row in first..<first + height {
                    for j in 0..<c { sums[j] += Double(x[row * c + j]) }
                }
            }
        }
        return (sums, products)
    }
}
