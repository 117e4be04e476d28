import CKernels

/// An element-wise non-linearity.
package enum Activation: String, Codable, Sendable {
    case silu
    case relu

    /// In place where nobody else holds `x`.
    package func callAsFunction(_ x: consuming Tensor) -> Tensor {
        let count = x.count
        var y = consume x
        y.withMutablePointer { apply($0, count, to: $0) }
        return y
    }

    /// The same into a tensor of its own, for a caller that goes on holding `x`.
    package func applied(to x: Tensor) -> Tensor {
        var y = Tensor(uninitialized: x.shape)
        y.withMutablePointer { y in x.withPointer { apply($0, x.count, to: y) } }
        return y
    }

    /// The gradient for `x`, given the one for the result.
    package func gradient(_ dy: consuming Tensor, at x: Tensor) -> Tensor {
        let (count, kernels) = (x.count, ComputeContext.current.kernels)
        var dx = consume dy
        withPointers(writing: &dx, reading: x) { dx, x in
            RowPieces.forEach(rows: count, width: 1) { range in
                kernels.activate_backward(x + range.lowerBound, dx + range.lowerBound, range.count, revq_activation(self))
            }
        }
        return dx
    }

    private func apply(_ x: UnsafePointer<Float>, _ count: Int, to y: UnsafeMutablePointer<Float>) {
        let kernels = ComputeContext.current.kernels
        RowPieces.forEach(rows: count, width: 1) { range in
            kernels.activate(x + range.lowerBound, range.count, revq_activation(self), y + range.lowerBound)
        }
    }
}
