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
        let (rows, c) = (x.rows, x.c)
        precondition(c == weight.count, "RMSNorm over \(weight.count) channels got \(x.shape)")
        var y = consume x
        y.withMutablePointer { y in
            weight.withPointer { weight in
                bias.withPointer { bias in
                    RowPieces.forEach(rows: rows, width: c) { range in
                        let start = y + range.lowerBound * c
                        revq_rms_norm(start, weight, bias, start, range.count, c, Self.epsilon)
                    }
                }
            }
        }
        return y
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout RMSNorm) -> Tensor {
        let x = kept.take()
        let (rows, c) = (x.rows, x.c)
        var dx = consume dy
        dx.withMutablePointer { dx in
            x.withPointer { x in
                weight.withPointer { weight in
                    gradient.weight.withMutablePointer { dweight in
                        gradient.bias.withMutablePointer { dbias in
                            revq_rms_norm_backward(x, weight, dx, dx, dweight, dbias, rows, c, Self.epsilon)
                        }
                    }
                }
            }
        }
        return dx
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        visitor(path / "bias", .learned, &bias)
    }
}
