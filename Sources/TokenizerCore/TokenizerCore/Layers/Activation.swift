import CKernels

/// An element-wise non-linearity.
public enum Activation: String, Codable, Sendable {
    case silu
    case relu

    func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        guard kept.isKeeping else {
            let count = x.count
            var y = consume x
            y.withMutablePointer { apply($0, count, to: $0) }
            return y
        }
        var y = Tensor(uninitialized: x.shape)
        y.withMutablePointer { y in x.withPointer { apply($0, x.count, to: y) } }
        kept.keep(x)
        return y
    }

    private func apply(_ x: UnsafePointer<Float>, _ count: Int, to y: UnsafeMutablePointer<Float>) {
        let kernels = InstructionSet.current.kernels
        RowPieces.forEach(rows: count, width: 1) { range in
            kernels.activate(x + range.lowerBound, range.count, revq_activation(self), y + range.lowerBound)
        }
    }

    func backward(_ dy: consuming Tensor, from kept: inout Activations) -> Tensor {
        let x = kept.take()
        let (count, kernels) = (x.count, InstructionSet.current.kernels)
        var dx = consume dy
        dx.withMutablePointer { dx in
            x.withPointer { x in
                RowPieces.forEach(rows: count, width: 1) { range in
                    kernels.activate_backward(x + range.lowerBound, dx + range.lowerBound, range.count, revq_activation(self))
                }
            }
        }
        return dx
    }
}
