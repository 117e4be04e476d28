import CKernels

/// The weights of a depthwise k×k convolution, laid out for ``convolve(_:with:bias:isGated:)``.
public final class PackedDepthwise: Sendable {
    let c: Int
    let size: Int
    /// `[k, k, c]`
    let taps: Tensor

    /// - Parameter weight: `[c, 1, k, k]` with odd k, as in PyTorch.
    public init(_ weight: Tensor) {
        precondition(
            weight.shape.count == 4 && weight.shape[1] == 1 && weight.shape[2] == weight.shape[3] && weight.shape[2] % 2 == 1,
            "depthwise weights are [c, 1, k, k] with odd k, got \(weight.shape)")
        (c, size) = (weight.shape[0], weight.shape[2])
        taps = weight.swappingInnerAxes(outer: 1, c, size * size)
    }

    /// The weights turned by 180°, with which the gradient for the input is formed.
    public convenience init(turning weight: Tensor) {
        let (taps, count) = (weight.shape.dropFirst(2).reduce(1, *), weight.count)
        var turned = Tensor(uninitialized: weight.shape, isLasting: true)
        turned.withMutablePointer { target in
            weight.withPointer { source in
                for i in 0..<count { target[i] = source[i / taps * taps + taps - 1 - i % taps] }
            }
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
public func convolve(_ x: Tensor, with weights: PackedDepthwise, bias: Tensor? = nil, isGated: Bool = false) -> Tensor {
    let (c, size) = (weights.c, weights.size)
    precondition(x.shape.count == 4 && x.c == c, "a depthwise convolution of \(c) channels got \(x.shape)")
    precondition(bias.map { $0.count == c } ?? true, "a depthwise convolution of \(c) channels got a bias of \(bias!.shape)")
    precondition(!isGated || c % 2 == 0, "\(c) channels have no two halves")
    let (images, h, w) = (x.n, x.h, x.w)
    let kernels = InstructionSet.current.kernels
    var y = Tensor(uninitialized: [images, h, w, isGated ? c / 2 : c])
    y.withMutablePointer { y in
        x.withPointer { x in
            weights.taps.withPointer { taps in
                bias.withPointer { bias in
                    let floatsPerRow = w * (isGated ? c + c / 2 : 2 * c)
                    RowPieces.forEach(rows: images * h, width: w * c, floatsPerRow: floatsPerRow, operation: "depthwise") { lines in
                        kernels.convolve_depthwise(
                            x, h, w, c, size, taps, bias, isGated, lines.lowerBound, lines.upperBound, y)
                    }
                }
            }
        }
    }
    return y
}
