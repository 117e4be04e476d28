import CKernels

/// A k×k convolution of each channel by itself, stride 1, padding k/2.
///
/// Source: `torch.nn.Conv2d` with `groups == channels`.
public struct DepthwiseConv2d: Layer {
    /// `[c, 1, k, k]`
    var weight: Tensor
    /// `[c]`
    var bias: Tensor?

    private var channels: Int { weight.shape[0] }
    private var kernel: Int { weight.shape[2] }

    init(_ channels: Int, kernel: Int, hasBias: Bool, _ initializer: inout Initializer) {
        weight = initializer.uniform([channels, 1, kernel, kernel], fanIn: kernel * kernel)
        bias = hasBias ? initializer.uniform([channels], fanIn: kernel * kernel) : nil
    }

    /// - Parameter x: `[n, h, w, c]`.
    public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        precondition(x.c == channels, "a depthwise convolution of \(channels) channels got \(x.shape)")
        kept.keep(x)
        return convolve(x, with: PackedDepthwise(weight), bias: bias)
    }

    /// The first half of the resulting channels times the SiLU of the second; in one pass where nothing is kept.
    func forwardGated(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        guard kept.isKeeping else { return convolve(x, with: PackedDepthwise(weight), bias: bias, isGated: true) }
        let halves = forward(x, keeping: &kept)
        kept.keep(halves)
        return gate(halves)
    }

    func backwardGated(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout DepthwiseConv2d) -> Tensor {
        backward(gateBackward(dy, halves: kept.take()), from: &kept, into: &gradient)
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout DepthwiseConv2d) -> Tensor {
        let x = kept.take()
        let (n, h, w, c, k, kernels) = (x.n, x.h, x.w, channels, kernel, InstructionSet.current.kernels)
        gradient.bias?.addColumns(of: dy)
        gradient.weight.withMutablePointer { dweight in
            dy.withPointer { dy in
                x.withPointer { x in
                    ColumnPieces.forEach(columns: c) { channels in
                        kernels.depthwise_backward(x, dy, n, h, w, c, k, channels.lowerBound, channels.upperBound, dweight)
                    }
                }
            }
        }
        return convolve(dy, with: PackedDepthwise(turning: weight))
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        if bias != nil { visitor(path / "bias", .learned, &bias!) }
    }

    private func gate(_ halves: Tensor) -> Tensor {
        let (rows, c, kernels) = (halves.rows, halves.c / 2, InstructionSet.current.kernels)
        var y = Tensor(uninitialized: halves.shape.dropLast() + [c])
        y.withMutablePointer { y in
            halves.withPointer { x in
                RowPieces.forEach(rows: rows, width: 2 * c) { range in
                    kernels.gate(x + range.lowerBound * 2 * c, range.count, c, y + range.lowerBound * c)
                }
            }
        }
        return y
    }

    private func gateBackward(_ dy: Tensor, halves: Tensor) -> Tensor {
        let (rows, c, kernels) = (dy.rows, dy.c, InstructionSet.current.kernels)
        var dx = Tensor(uninitialized: halves.shape)
        dx.withMutablePointer { dx in
            halves.withPointer { x in
                dy.withPointer { dy in
                    RowPieces.forEach(rows: rows, width: 2 * c) { range in
                        let start = range.lowerBound * c
                        kernels.gate_backward(x + 2 * start, dy + start, range.count, c, dx + 2 * start)
                    }
                }
            }
        }
        return dx
    }
}
