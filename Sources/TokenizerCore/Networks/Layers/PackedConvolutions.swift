import Compute
import Synchronization

/// A convolution's weights as the kernels want them, arranged when they are first used and shared by all copies of the layer.
/// Whoever changes the weights replaces this object.
final class PackedConvolutions: Sendable {
    /// Weights arranged for the kernel that suits their size.
    enum Packed: Sendable {
        case matrix(PackedMatrix)
        case patches(PackedConvolution)

        init(_ weight: Tensor, precision: Precision) {
            self =
                weight.shape.count == 4 && weight.shape[2] > 1
                ? .patches(PackedConvolution(weight, precision: precision)) : .matrix(PackedMatrix(weight, precision: precision))
        }

        init(turning weight: Tensor) {
            let isKernel = weight.shape.count == 4 && weight.shape[2] > 1
            self = isKernel ? .patches(PackedConvolution(weight.turnedKernel)) : .matrix(PackedMatrix(transposing: weight))
        }

        func apply(_ x: Tensor, bias: Tensor?, stride: Int, activation: Activation? = nil) -> Tensor {
            switch self {
            case .matrix(let matrix): project(x, with: matrix, bias: bias, activation: activation)
            case .patches(let convolution): convolve(x, with: convolution, bias: bias, stride: stride, activation: activation)
            }
        }

        /// To the picture with each pixel repeated twice in both directions.
        func applyEnlarging(_ x: Tensor, bias: Tensor?) -> Tensor {
            switch self {
            case .matrix(let matrix): project(NearestUpsampling.forward(x), with: matrix, bias: bias)
            case .patches(let convolution): enlargeAndConvolve(x, with: convolution, bias: bias)
            }
        }
    }

    private struct State {
        var forward, backward: Packed?
    }

    /// Of the layer itself; gradients are fp32.
    let precision: Precision
    private let state = Mutex(State())

    init(_ precision: Precision) {
        self.precision = precision
    }

    /// For the layer itself.
    func forward(_ weight: @autoclosure () -> Tensor) -> Packed {
        state.withLock { state in
            if state.forward == nil { state.forward = Packed(weight(), precision: precision) }
            return state.forward!
        }
    }

    /// For its gradient with respect to the input, stride 1.
    func backward(_ weight: @autoclosure () -> Tensor) -> Packed {
        state.withLock { state in
            if state.backward == nil { state.backward = Packed(turning: weight()) }
            return state.backward!
        }
    }
}

extension Tensor {
    /// `[out, in, k, k]` → `[in, out, k, k]` with each kernel turned by 180°.
    fileprivate var turnedKernel: Tensor {
        let (outputs, inputs, taps) = (shape[0], shape[1], shape.dropFirst(2).reduce(1, *))
        var turned = Tensor(uninitialized: [inputs, outputs] + shape.dropFirst(2))
        turned.withMutablePointer { target in
            withPointer { source in
                for o in 0..<outputs {
                    for i in 0..<inputs {
                        for tap in 0..<taps { target[(i * outputs + o) * taps + tap] = source[(o * inputs + i) * taps + taps - 1 - tap] }
                    }
                }
            }
        }
        return turned
    }
}
