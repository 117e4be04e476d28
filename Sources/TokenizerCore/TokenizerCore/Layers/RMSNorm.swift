import CKernels

/// Normalises each position over its channels: `x / √(mean x² + ε) · weight + bias`.
///
/// Source: diffusers `RMSNorm` with bias; ε is 1e-5 throughout DC-AE.
public struct RMSNorm: Layer {
    /// `[c]`
    var weight: Tensor
    /// `[c]`
    var bias: Tensor
    private static let epsilon: Float = 1e-5

    init(channels: Int, _ initializer: inout Initializer) {
        weight = initializer.constant(1, [channels])
        bias = initializer.constant(0, [channels])
    }

    /// - Parameter x: `[n, h, w, c]`.
    public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        kept.keep(x)
        return normalized(x, activation: nil, adding: nil)
    }

    /// `activation(forward(x))`, in one pass where nothing is kept.
    func forward(_ x: consuming Tensor, activation: Activation, keeping kept: inout Activations) -> Tensor {
        guard !kept.isKeeping else { return activation.forward(forward(x, keeping: &kept), keeping: &kept) }
        return normalized(x, activation: activation, adding: nil)
    }

    /// `forward(x) + shortcut`, in one pass.
    func forward(_ x: consuming Tensor, adding shortcut: Tensor, keeping kept: inout Activations) -> Tensor {
        kept.keep(x)
        return normalized(x, activation: nil, adding: shortcut)
    }

    private func normalized(_ x: consuming Tensor, activation: Activation?, adding shortcut: Tensor?) -> Tensor {
        let (rows, c, kernels) = (x.rows, x.c, InstructionSet.current.kernels)
        precondition(c == weight.count, "RMSNorm over \(weight.count) channels got \(x.shape)")
        precondition(shortcut.map { $0.shape == x.shape } ?? true, "cannot add \(shortcut!.shape) to \(x.shape)")
        var y = consume x
        y.withMutablePointer { y in
            shortcut.withPointer { shortcut in
                weight.withPointer { weight in
                    bias.withPointer { bias in
                        let floatsPerRow = shortcut == nil ? 2 * c : 3 * c
                        RowPieces.forEach(rows: rows, width: c, floatsPerRow: floatsPerRow, operation: "norm") { range in
                            let (start, offset) = (y + range.lowerBound * c, range.lowerBound * c)
                            kernels.rms_norm(
                                start, range.count, c, weight, bias, Self.epsilon, revq_activation(activation),
                                shortcut.map { $0 + offset }, start)
                        }
                    }
                }
            }
        }
        return y
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout RMSNorm) -> Tensor {
        let x = kept.take()
        let (rows, c, kernels) = (x.rows, x.c, InstructionSet.current.kernels)
        // Each piece of the rows has sums of its own, which are added in their order.
        let pieces = RowPieces.count(rows: rows, width: c)
        var (dweights, dbiases) = (Tensor(zeros: [pieces, c]), Tensor(zeros: [pieces, c]))
        var dx = consume dy
        dx.withMutablePointer { dx in
            dweights.withMutablePointer { dweights in
                dbiases.withMutablePointer { dbiases in
                    x.withPointer { x in
                        weight.withPointer { weight in
                            RowPieces.forEach(rows: rows, width: c) { range, piece in
                                let start = range.lowerBound * c
                                kernels.rms_norm_backward(
                                    x + start, range.count, c, weight, Self.epsilon, dx + start, dweights + piece * c, dbiases + piece * c)
                            }
                        }
                    }
                }
            }
        }
        gradient.weight.addColumns(of: dweights)
        gradient.bias.addColumns(of: dbiases)
        return dx
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        visitor(path / "bias", .learned, &bias)
    }
}
