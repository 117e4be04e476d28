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
