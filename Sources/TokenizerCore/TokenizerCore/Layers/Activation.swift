import CKernels

/// An element-wise non-linearity.
public enum Activation: String, Codable, Sendable {
    case silu
    case relu

    func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        kept.keep(x)
        let (count, kernels) = (x.count, InstructionSet.current.kernels)
        var y = consume x
        y.withMutablePointer { y in
            RowPieces.forEach(rows: count, width: 1) { range in
                kernels.activate(y + range.lowerBound, range.count, revq_activation(self))
            }
        }
        return y
    }

    func backward(_ dy: consuming Tensor, from kept: inout Activations) -> Tensor {
        let x = kept.take()
        let count = x.count
        var dx = consume dy
        dx.withMutablePointer { dx in
            x.withPointer { x in
                switch self {
                case .silu: revq_silu_backward(x, dx, dx, count)
                case .relu: revq_relu_backward(x, dx, dx, count)
                }
            }
        }
        return dx
    }
}
