import CKernels

/// The weights of a k×k convolution, laid out for ``convolve(_:with:bias:stride:)``.
public final class PackedConvolution: Sendable {
    let size: Int
    let c: Int
    let n: Int
    let panels: WeightPanels

    /// - Parameter weight: `[out, in, k, k]` with odd k, as in PyTorch.
    public init(_ weight: Tensor) {
        precondition(
            weight.shape.count == 4 && weight.shape[2] == weight.shape[3] && weight.shape[2] % 2 == 1,
            "convolution weights are [out, in, k, k] with odd k, got \(weight.shape)")
        (n, c, size) = (weight.shape[0], weight.shape[1], weight.shape[2])
        panels = WeightPanels(weight, n: n, c: c, taps: size * size)
    }
}

/// A k×k convolution with zero padding k/2.
///
/// Each sum is formed in fp32, 256 products at a time, in the order (row, column, channel) of the patch. Images of a batch and
/// pixels of an image never influence each other's rounding.
///
/// - Parameters:
///   - x: `[n, h, w, in]`.
///   - bias: `[out]`.
///   - stride: 1 or more, the same in both directions.
/// - Returns: `[n, ⌈h / stride⌉, ⌈w / stride⌉, out]`.
///
/// Source: `torch.nn.functional.conv2d(x, weight, bias, stride, padding: k // 2)`.
public func convolve(_ x: Tensor, with weights: PackedConvolution, bias: Tensor? = nil, stride: Int = 1) -> Tensor {
    let (c, n, size) = (weights.c, weights.n, weights.size)
    precondition(x.shape.count == 4 && x.c == c, "a convolution of \(c) channels got \(x.shape)")
    let (images, h, w) = (x.n, x.h, x.w)
    precondition(bias.map { $0.count == n } ?? true, "a convolution to \(n) channels got a bias of \(bias!.shape)")
    let (ho, wo) = ((h + stride - 1) / stride, (w + stride - 1) / stride)
    let kernels = InstructionSet.current.kernels
    let pieces = ProductPieces(rows: ho * wo, columns: n)
    var y = Tensor(uninitialized: [x.n, ho, wo, n])
    y.withMutablePointer { y in
        x.withPointer { x in
            bias.withPointer { bias in
                Workers.forEach(images * pieces.count) { index in
                    let (image, piece) = index.quotientAndRemainder(dividingBy: pieces.count)
                    let (pixels, columns) = pieces[piece]
                    let left = columns.lowerBound
                    weights.panels.withPointer(fromColumn: left) { panels in
                        kernels.convolve(
                            x + image * h * w * c, h, w, c, size, stride, pixels.lowerBound, pixels.upperBound, panels,
                            columns.count, y + image * ho * wo * n + left, n, bias.map { $0 + left }, .REVQ_IDENTITY)
                    }
                }
            }
        }
    }
    return y
}
