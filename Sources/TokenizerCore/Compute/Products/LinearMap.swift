/// The weights of a convolution or projection as the kernels want them, for the layer and for its gradient, each arranged when it is first used.
package final class LinearMap: Sendable {
    /// Weights arranged for the kernel that suits their size.
    package enum Packed: Sendable {
        case matrix(PackedMatrix)
        case patches(PackedConvolution)

        init(_ weight: Tensor, precision: Precision, servesBatches: Bool) {
            self =
                weight.isKernel
                ? .patches(PackedConvolution(weight, precision: precision, servesBatches: servesBatches))
                : .matrix(PackedMatrix(weight, precision: precision))
        }

        init(turning weight: Tensor, servesBatches: Bool) {
            self =
                weight.isKernel
                ? .patches(PackedConvolution(weight.turnedKernel, servesBatches: servesBatches)) : .matrix(PackedMatrix(transposing: weight))
        }

        package func apply(_ x: Tensor, bias: Tensor?, stride: Int = 1, activation: Activation? = nil) -> Tensor {
            switch self {
            case .matrix(let matrix): project(x, with: matrix, bias: bias, activation: activation)
            case .patches(let convolution): convolve(x, with: convolution, bias: bias, stride: stride, activation: activation)
            }
        }

        /// To the picture with each pixel repeated twice in both directions.
        package func applyEnlarging(_ x: Tensor, bias: Tensor?) -> Tensor {
            switch self {
            case .matrix(let matrix): project(NearestUpsampling.forward(x), with: matrix, bias: bias)
            case .patches(let convolution): enlargeAndConvolve(x, with: convolution, bias: bias)
            }
        }
    }

    private let forwards: Derived<Tensor, Packed>
    private let backwards: Derived<Tensor, Packed>
    private let precision: Precision
    private let servesBatches: Bool

    /// - Parameters:
    ///   - weight: `[out, in, k, k]` or `[out, in]`.
    ///   - precision: of the layer itself; gradients are fp32.
    ///   - servesBatches: see ``PackedConvolution``.
    package init(_ weight: Tensor, precision: Precision, servesBatches: Bool = false) {
        (forwards, backwards, self.precision, self.servesBatches) = (Derived(weight), Derived(weight), precision, servesBatches)
    }

    /// For the layer itself.
    package var forward: Packed { forwards.form { Packed($0, precision: precision, servesBatches: servesBatches) } }

    /// For its gradient with respect to the input, stride 1.
    package var backward: Packed { backwards.form { Packed(turning: $0, servesBatches: servesBatches) } }
}

extension Tensor {
    fileprivate var isKernel: Bool { shape.count == 4 && shape[2] > 1 }

    /// `[out, in, k, k]` → `[in, out, k, k]` with each kernel turned by 180°.
    fileprivate var turnedKernel: Tensor {
        let (outputs, inputs, taps) = (shape[0], shape[1], shape.dropFirst(2).reduce(1, *))
        var turned = Tensor(uninitialized: [inputs, outputs] + shape.dropFirst(2))
        withPointers(writing: &turned, reading: self) { target, source in
            for o in 0..<outputs {
                for i in 0..<inputs {
                    for tap in 0..<taps { target[(i * outputs + o) * taps + tap] = source[(o * inputs + i) * taps + taps - 1 - tap] }
                }
            }
        }
        return turned
    }
}
