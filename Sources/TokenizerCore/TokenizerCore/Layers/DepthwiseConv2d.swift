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
    ///
    /// - Parameter x: the activation of the tensor that was kept last; itself it is not kept.
    func forwardGated(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        guard kept.isKeeping else { return convolve(x, with: PackedDepthwise(weight), bias: bias, isGated: true) }
        let halves = convolve(x, with: PackedDepthwise(weight), bias: bias)
        kept.keep(halves)
        return gate(halves)
    }

    /// Of ``forwardGated(_:keeping:)`` and of `activation` before it, in one pass.
    func backwardGated(
        _ dy: consuming Tensor, behind activation: Activation, from kept: inout Activations, into gradient: inout DepthwiseConv2d
    ) -> Tensor {
        let halves = kept.take()
        return backward(dy, kept.take(), activation, halves: halves, into: &gradient)
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout DepthwiseConv2d) -> Tensor {
        backward(dy, kept.take(), nil, halves: nil, into: &gradient)
    }

    /// - Parameters:
    ///   - x: what the activation was applied to.
    ///   - halves: what was gated, where dy is the gradient for that.
    private func backward(
        _ dy: Tensor, _ x: Tensor, _ activation: Activation?, halves: Tensor?, into gradient: inout DepthwiseConv2d
    ) -> Tensor {
        let (n, h, w, c, k, kernels) = (x.n, x.h, x.w, channels, kernel, InstructionSet.current.kernels)
        var dx = Tensor(uninitialized: x.shape)
        var dtaps = Tensor(zeros: [k * k, c])
        dx.withMutablePointer { dx in
            dtaps.withMutablePointer { dtaps in
                gradient.bias.withMutablePointer { dbias in
                    PackedDepthwise(turning: weight).taps.withPointer { turned in
                        x.withPointer { x in
                            halves.withPointer { halves in
                                dy.withPointer { dy in
                                    ColumnPieces.forEach(columns: halves == nil ? c : c / 2) { channels in
                                        kernels.depthwise_backward(
                                            x, halves, dy, n, h, w, c, k, turned, revq_activation(activation), channels.lowerBound,
                                            channels.upperBound, dx, dtaps, dbias)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        gradient.weight.add(dtaps.swappingInnerAxes(outer: 1, k * k, c).reshaped(weight.shape))
        return dx
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
}
