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
        return convolve(x, tapMajor: tapMajorWeight, bias: bias)
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout DepthwiseConv2d) -> Tensor {
        let x = kept.take()
        let (n, h, w, c, k) = (x.n, x.h, x.w, channels, kernel)
        let rows = dy.rows
        var dweight = Tensor(zeros: [k * k, c])
        dy.withPointer { dy in
            gradient.bias?.withMutablePointer { revq_column_sums(dy, $0, rows, c) }
            x.withPointer { x in
                dweight.withMutablePointer { dweight in
                    for image in 0..<n {
                        let offset = image * h * w * c
                        revq_depthwise_backward_weight(x + offset, dy + offset, dweight, h, w, c, k)
                    }
                }
            }
        }
        gradient.weight.add(dweight.swappingInnerAxes(outer: 1, k * k, c).reshaped(weight.shape))
        return convolve(dy, tapMajor: tapMajorWeight.reversingRows(), bias: nil)
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        if bias != nil { visitor(path / "bias", .learned, &bias!) }
    }

    /// `[k·k, c]`
    private var tapMajorWeight: Tensor {
        weight.swappingInnerAxes(outer: 1, channels, kernel * kernel).reshaped([kernel * kernel, channels])
    }

    private func convolve(_ x: Tensor, tapMajor weight: Tensor, bias: Tensor?) -> Tensor {
        let (n, h, w, c, k) = (x.n, x.h, x.w, channels, kernel)
        var y = Tensor(uninitialized: x.shape)
        y.withMutablePointer { y in
            x.withPointer { x in
                weight.withPointer { weight in
                    RowPieces.forEach(rows: n * h, width: w * c) { range in
                        for row in range {
                            let (image, line) = row.quotientAndRemainder(dividingBy: h)
                            let offset = image * h * w * c
                            if let bias {
                                bias.withPointer { revq_depthwise(x + offset, weight, $0, y + offset, h, w, c, k, line, line + 1) }
                            } else {
                                revq_depthwise(x + offset, weight, nil, y + offset, h, w, c, k, line, line + 1)
                            }
                        }
                    }
                }
            }
        }
        return y
    }
}

extension Tensor {
    /// The rows of a matrix, last first. For taps this turns the kernel by 180°, which is what the gradient convolves with.
    fileprivate func reversingRows() -> Tensor {
        var result = Tensor(uninitialized: shape)
        let (rows, c) = (self.rows, self.c)
        result.withMutablePointer { target in
            withPointer { source in
                for row in 0..<rows { (target + row * c).update(from: source + (rows - 1 - row) * c, count: c) }
            }
        }
        return result
    }
}
