import CKernels

/// The weights of a depthwise k×k convolution, laid out for ``convolve(_:with:bias:isGated:)``.
package final class PackedDepthwise: Sendable {
    let c: Int
    let size: Int
    /// `[k, k, c]`
    package let taps: Tensor

    /// - Parameter weight: `[c, 1, k, k]` with odd k, as in PyTorch.
    package init(_ weight: Tensor) {
        precondition(
            weight.shape.count == 4 && weight.shape[1] == 1 && weight.shape[2] == weight.shape[3] && weight.shape[2] % 2 == 1,
            "depthwise weights are [c, 1, k, k] with odd k, got \(weight.shape)")
        (c, size) = (weight.shape[0], weight.shape[2])
        taps = weight.swappingInnerAxes(outer: 1, c, size * size)
    }

    /// The weights turned by 180°, with which the gradient for the input is formed.
    package convenience init(turning weight: Tensor) {
        let (taps, count) = (weight.shape.dropFirst(2).reduce(1, *), weight.count)
        var turned = Tensor(uninitialized: weight.shape, isLasting: true)
        withPointers(writing: &turned, reading: weight) { target, source in
            for i in 0..<count { target[i] = source[i / taps * taps + taps - 1 - i % taps] }
        }
        self.init(turned)
    }
}

/// A k×k convolution of each channel by itself, stride 1, zero padding k/2.
///
/// - Parameters:
///   - x: `[n, h, w, c]`.
///   - bias: `[c]`.
///   - isGated: whether the first half of the channels is multiplied by the SiLU of the second.
/// - Returns: `[n, h, w, c]`, or `[n, h, w, c / 2]` when gated.
///
/// Source: `torch.nn.functional.conv2d(x, weight, bias, padding: k // 2, groups: c)`.
package func convolve(_ x: Tensor, with weights: PackedDepthwise, bias: Tensor? = nil, isGated: Bool = false) -> Tensor {
    let (c, size) = (weights.c, weights.size)
    precondition(x.shape.count == 4 && x.c == c, "a depthwise convolution of \(c) channels got \(x.shape)")
    precondition(bias.map { $0.count == c } ?? true, "a depthwise convolution of \(c) channels got a bias of \(bias!.shape)")
    precondition(!isGated || c % 2 == 0, "\(c) channels have no two halves")
    let (images, h, w) = (x.n, x.h, x.w)
    let kernels = ComputeContext.current.kernels
    let floatsPerRow = w * (isGated ? c + c / 2 : 2 * c)
    var y = Tensor(uninitialized: [images, h, w, isGated ? c / 2 : c])
    withPointers(writing: &y, reading: x, weights.taps, bias) { y, x, taps, bias in
        RowPieces.forEach(rows: images * h, width: w * c, floatsPerRow: floatsPerRow, operation: "depthwise") { lines in
            kernels.convolve_depthwise(x, h, w, c, size, taps, bias, isGated, lines.lowerBound, lines.upperBound, y)
        }
    }
    return y
}

/// The first half of the channels times the SiLU of the second.
///
/// - Parameter halves: `[…, 2c]`.
/// - Returns: `[…, c]`.
package func gate(_ halves: Tensor) -> Tensor {
    let (rows, c, kernels) = (halves.rows, halves.c / 2, ComputeContext.current.kernels)
    var y = Tensor(uninitialized: halves.shape.dropLast() + [c])
    withPointers(writing: &y, reading: halves) { y, x in
        RowPieces.forEach(rows: rows, width: 2 * c) { range in
            kernels.gate(x + range.lowerBound * 2 * c, range.count, c, y + range.lowerBound * c)
        }
    }
    return y
}

/// The gradient for the input of a depthwise convolution, and of what stands around it.
///
/// - Parameters:
///   - x: what the convolution was applied to, or the activation before it where there is one.
///   - weight: `[c, 1, k, k]`.
///   - halves: what was gated afterwards, where `dy` is the gradient for that.
///   - dbias: the gradient for the bias is added here.
/// - Returns: the gradients for what came first and for the weights.
package func depthwiseGradient(
    _ dy: Tensor, at x: Tensor, weight: Tensor, behind activation: Activation? = nil, halves: Tensor? = nil,
    addingTo dbias: inout Tensor?
) -> (dx: Tensor, dweight: Tensor) {
    let (n, h, w, c, k, kernels) = (x.n, x.h, x.w, x.c, weight.shape[2], ComputeContext.current.kernels)
    var dx = Tensor(uninitialized: x.shape)
    var dtaps = Tensor(zeros: [k * k, c])
    dbias.withMutablePointer { dbias in
        withPointers(writing: &dx, &dtaps, reading: PackedDepthwise(turning: weight).taps, x, halves, dy) { dx, dtaps, turned, x, halves, dy in
            ColumnPieces.forEach(columns: halves == nil ? c : c / 2) { channels in
                kernels.depthwise_backward(
                    x, halves, dy, n, h, w, c, k, turned, revq_activation(activation), channels.lowerBound, channels.upperBound, dx, dtaps,
                    dbias)
            }
        }
    }
    return (dx, dtaps.swappingInnerAxes(outer: 1, k * k, c).reshaped(weight.shape))
}
