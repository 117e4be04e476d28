import CKernels

/// A k×k convolution with zero padding k/2.
///
/// Sums are formed in fp32, 256 products at a time. Images of a batch and pixels of an image never influence each other's rounding.
///
/// - Parameters:
///   - x: `[n, h, w, in]`.
///   - bias: `[out]`.
///   - stride: 1 or more, the same in both directions.
/// - Returns: `[n, ⌈h / stride⌉, ⌈w / stride⌉, out]`.
///
/// Source: `torch.nn.functional.conv2d(x, weight, bias, stride, padding: k // 2)`.
public func convolve(_ x: Tensor, with weights: PackedConvolution, bias: Tensor? = nil, stride: Int = 1) -> Tensor {
    precondition(x.shape.count == 4 && x.c == weights.c, "a convolution of \(weights.c) channels got \(x.shape)")
    precondition(bias.map { $0.count == weights.n } ?? true, "a convolution to \(weights.n) channels got a bias of \(bias!.shape)")
    switch ConvolutionAlgorithm.chosen(for: weights, stride: stride, h: x.h, w: x.w) {
    case .direct: return convolveDirectly(x, with: weights, bias: bias, stride: stride)
    case .winograd: return convolveByWinograd(x, with: weights, bias: bias)
    }
}

private func convolveDirectly(_ x: Tensor, with weights: PackedConvolution, bias: Tensor?, stride: Int) -> Tensor {
    let (h, w, c, n, size) = (x.h, x.w, weights.c, weights.n, weights.size)
    let (ho, wo) = ((h + stride - 1) / stride, (w + stride - 1) / stride)
    let (kernels, panels) = (InstructionSet.current.kernels, weights.direct)
    let pieces = ProductPieces(rows: x.n * ho * wo, columns: n)
    var y = Tensor(uninitialized: [x.n, ho, wo, n])
    y.withMutablePointer { y in
        x.withPointer { x in
            bias.withPointer { bias in
                Workers.forEach(pieces.count) { index in
                    let (pixels, columns) = pieces[index]
                    let left = columns.lowerBound
                    panels.withPointer(fromColumn: left) { panels in
                        kernels.convolve(
                            x, h, w, c, size, stride, pixels.lowerBound, pixels.upperBound, panels, columns.count, y + left, n,
                            bias.map { $0 + left }, .REVQ_IDENTITY)
                    }
                }
            }
        }
    }
    return y
}

private func convolveByWinograd(_ x: Tensor, with weights: PackedConvolution, bias: Tensor?) -> Tensor {
    let (h, w, c, n) = (x.h, x.w, weights.c, weights.n)
    let (kernels, transformed) = (InstructionSet.current.kernels, weights.winograd)
    let pieces = WinogradPieces(images: x.n, h: h, w: w, columns: n)
    var y = Tensor(uninitialized: [x.n, h, w, n])
    y.withMutablePointer { y in
        x.withPointer { x in
            bias.withPointer { bias in
                transformed.withPointer { transformed in
                    Workers.forEach(pieces.count) { index in
                        let (tiles, columns) = pieces[index]
                        var scratch = Tensor(uninitialized: [kernels.winograd_scratch(c, tiles.count)])
                        scratch.withMutablePointer { scratch in
                            kernels.convolve_winograd(
                                x, h, w, c, tiles.lowerBound, tiles.upperBound, transformed, n, columns.lowerBound,
                                columns.upperBound, y, bias, .REVQ_IDENTITY, scratch)
                        }
                    }
                }
            }
        }
    }
    return y
}
