import CKernels

/// A k×k convolution with zero padding k/2.
///
/// Sums are formed in fp32, in runs whose length depends on the processor alone (or as ``Precision`` says). Images of a batch and pixels
/// of an image never influence each other's rounding.
///
/// - Parameters:
///   - x: `[n, h, w, in]`.
///   - bias: `[out]`.
///   - stride: 1 or more, the same in both directions.
///   - activation: applied to the results.
/// - Returns: `[n, ⌈h / stride⌉, ⌈w / stride⌉, out]`.
///
/// Source: `torch.nn.functional.conv2d(x, weight, bias, stride, padding: k // 2)`.
package func convolve(
    _ x: Tensor, with weights: PackedConvolution, bias: Tensor? = nil, stride: Int = 1, activation: Activation? = nil
) -> Tensor {
    checkShapes(x, weights, bias)
    if weights.precision != .float32 {
        return convolve(x, with: weights.bfloat16(enlarging: false), bias: bias, stride: stride, activation: activation)
    }
    switch ConvolutionAlgorithm.chosen(for: weights, stride: stride, h: (x.h + stride - 1) / stride, w: (x.w + stride - 1) / stride) {
    case .direct: return convolveDirectly(x, weights, bias, stride: stride, activation)
    case .winograd:
        let kind: revq_winograd = weights.size == 5 ? .REVQ_FIVE_BY_FIVE : stride == 2 ? .REVQ_HALVING : .REVQ_PLAIN_PICTURE
        return convolveByWinograd(x, weights, bias, kind, activation)
    }
}

/// A k×k convolution with zero padding k/2 of the picture in which each pixel is repeated twice in both directions; where it is
/// worth it, the larger picture never exists.
///
/// - Parameters:
///   - x: `[n, h, w, in]`.
///   - bias: `[out]`.
///   - activation: applied to the results.
/// - Returns: `[n, 2h, 2w, out]`.
///
/// Source: `conv2d(interpolate(x, scale_factor=2, mode="nearest"), weight, bias, padding: k // 2)`.
package func enlargeAndConvolve(
    _ x: Tensor, with weights: PackedConvolution, bias: Tensor? = nil, activation: Activation? = nil
) -> Tensor {
    checkShapes(x, weights, bias)
    if weights.precision != .float32 && weights.size == 3 {
        return convolve(x, with: weights.bfloat16(enlarging: true), bias: bias, stride: 1, activation: activation)
    }
    switch weights.size == 3 ? ConvolutionAlgorithm.chosen(for: weights, stride: 1, h: 2 * x.h, w: 2 * x.w) : .direct {
    case .direct: return convolve(NearestUpsampling.forward(x), with: weights, bias: bias, activation: activation)
    case .winograd: return convolveByWinograd(x, weights, bias, .REVQ_ENLARGING, activation)
    }
}

private func checkShapes(_ x: Tensor, _ weights: PackedConvolution, _ bias: Tensor?) {
    precondition(x.shape.count == 4 && x.c == weights.c, "a convolution of \(weights.c) channels got \(x.shape)")
    precondition(bias.map { $0.count == weights.n } ?? true, "a convolution to \(weights.n) channels got a bias of \(bias!.shape)")
}

private func convolveDirectly(
    _ x: Tensor, _ weights: PackedConvolution, _ bias: Tensor?, stride: Int, _ activation: Activation?
) -> Tensor {
    let (h, w, c, n, size) = (x.h, x.w, weights.c, weights.n, weights.size)
    let (ho, wo) = ((h + stride - 1) / stride, (w + stride - 1) / stride)
    let (kernels, panels) = (ConvolutionAlgorithm.directKernels(for: weights), weights.direct)
    let pieces = ProductPieces(rows: x.n * ho * wo, columns: n)
    var y = Tensor(uninitialized: [x.n, ho, wo, n])
    let weightCount = size * size * c * n
    let cost = ComputeProfile.Cost(multiplications: x.n * ho * wo * weightCount, floats: x.count + weightCount + y.count)
    withPointers(writing: &y, reading: x, bias) { y, x, bias in
        Workers.forEach(pieces.count, operation: "convolution, direct", cost: cost) { index in
            let (pixels, columns) = pieces[index]
            let left = columns.lowerBound
            panels.withPointer(fromColumn: left) { panels in
                kernels.convolve(
                    x, h, w, c, size, stride, pixels.lowerBound, pixels.upperBound, panels, columns.count, y + left, n,
                    bias.map { $0 + left }, revq_activation(activation))
            }
        }
    }
    return y
}

private func convolveByWinograd(
    _ x: Tensor, _ weights: PackedConvolution, _ bias: Tensor?, _ kind: revq_winograd, _ activation: Activation?
) -> Tensor {
    let (h, w, c, n) = (x.h, x.w, weights.c, weights.n)
    let (ho, wo) =
        switch kind {
        case .REVQ_PLAIN_PICTURE, .REVQ_FIVE_BY_FIVE: (h, w)
        case .REVQ_ENLARGING: (2 * h, 2 * w)
        case .REVQ_HALVING: ((h + 1) / 2, (w + 1) / 2)
        }
    let tiles = WinogradPieces.tiles(h: ho, w: wo)
    let kernels = ConvolutionAlgorithm.winogradKernels(for: weights, kind)
    let transformed = weights.winograd(kind, isKept: ConvolutionAlgorithm.keepsKernels(of: weights, tiles: tiles))
    let pieces = WinogradPieces(kind, images: x.n, h: ho, w: wo, columns: n, kernels)
    var y = Tensor(uninitialized: [x.n, ho, wo, n])
    let products = x.n * tiles * Int(revq_winograd_weights(kind)) * c * n
    let cost = ComputeProfile.Cost(multiplications: products, floats: x.count + transformed.count + y.count)
    withPointers(writing: &y, reading: x, bias, transformed) { y, x, bias, transformed in
        Workers.forEach(pieces.count, operation: kind.operation, cost: cost) { index in
            let (tiles, columns) = pieces[index]
            withScratch(kernels.winograd_scratch(kind, c, tiles.count)) { scratch in
                kernels.convolve_winograd(
                    kind, x, h, w, c, tiles.lowerBound, tiles.upperBound, transformed, n, columns.lowerBound, columns.upperBound, y, bias,
                    revq_activation(activation), scratch)
            }
        }
    }
    return y
}

extension revq_winograd {
    /// The name in a ``ComputeProfile``.
    fileprivate var operation: StaticString {
        switch self {
        case .REVQ_PLAIN_PICTURE: "3×3 Winograd"
        case .REVQ_ENLARGING: "3×3 Winograd, enlarging"
        case .REVQ_HALVING: "3×3 Winograd, stride 2"
        case .REVQ_FIVE_BY_FIVE: "5×5 Winograd"
        }
    }
}

/// How a convolution is computed. Both ways agree to a few millionths of the result's norm.
package enum ConvolutionAlgorithm: Sendable {
    /// A matrix product with the patches of the picture.
    case direct
    /// Winograd's F(4×4, 3×3): a quarter of the multiplications for 3×3 and stride 1, nine sixteenths of them for stride 2, and 36 of 100
    /// for 5×5.
    case winograd

    /// Below this many 4×4 tiles in an image of results, reading the fourfold weights costs more than the multiplications they save:
    /// the more so, the faster the processor multiplies, and the less, the more images share them.
    private static func fewestTiles(inBatches servesBatches: Bool) -> Int {
        ComputeContext.current.instructionSet == .x86_64_amx && !servesBatches ? 64 : 16
    }

    /// Depends on the processor, the layer and the extents h × w of the result, never on the batch, so that an image's result does not
    /// either.
    static func chosen(for weights: PackedConvolution, stride: Int, h: Int, w: Int) -> ConvolutionAlgorithm {
        guard weights.size == 5 ? stride == 1 && weights.c % 32 == 0 : weights.size == 3 && stride <= 2 && weights.c % 16 == 0 else { return .direct }
        if let preferred = ComputeContext.current.algorithm { return preferred }
        // Nine sixteenths of the multiplications do not pay for the transforms where a matrix unit multiplies.
        if stride == 2 && ComputeContext.current.instructionSet == .x86_64_amx && !suitsVectors(weights, .REVQ_HALVING) { return .direct }
        return WinogradPieces.tiles(h: h, w: w) >= fewestTiles(inBatches: weights.servesBatches) ? .winograd : .direct
    }

    /// Transformed kernels take four times the memory of the weights, which is much where there are many channels. Made anew for an image of so
    /// many tiles, they are a small part of the work.
    static func keepsKernels(of weights: PackedConvolution, tiles: Int) -> Bool { tiles < 1024 || weights.c * weights.n < 256 * 512 }

    /// A matrix unit wants its factors split in three, which few channels do not repay: vectors take 2.6 ms for 96 of them at 64², 4.2 for 64 at
    /// 128², where it takes 3.3 and 6.9 (one core of an Intel Xeon, model 207); at 128 channels the two are level.
    private static func suitsVectors(_ weights: PackedConvolution, _ kind: revq_winograd) -> Bool {
        kind == .REVQ_HALVING ? weights.c * weights.n <= 64 * 128 : suitsVectors(weights)
    }

    private static func suitsVectors(_ weights: PackedConvolution) -> Bool { max(weights.c, weights.n) <= 96 }

    /// The gradient of weights has sums of 64 products at a time, which a matrix unit is hardly faster at than at splitting what it multiplies.
    private static let mostChannelsOfVectorGradients = 96

    /// Who computes Winograd's algorithm; all lay its weights out alike.
    static func winogradKernels(for weights: PackedConvolution, _ kind: revq_winograd) -> revq_kernel_table {
        kernels(ofVectors: suitsVectors(weights, kind))
    }

    /// Who computes directly. A matrix unit multiplies 32 numbers of a patch at a time, which a picture's three colours do not fill: for 3 channels
    /// to 128 at 256² it takes 14.5 ms, vectors 10.2.
    static func directKernels(for weights: PackedConvolution) -> revq_kernel_table {
        kernels(ofVectors: weights.c < 32 || suitsVectors(weights))
    }

    /// The same for the gradient of weights `[n, c, 3, 3]`.
    static func winogradGradientKernels(c: Int, n: Int) -> revq_kernel_table {
        kernels(ofVectors: max(c, n) <= mostChannelsOfVectorGradients)
    }

    /// Those of the instruction set, or of vectors where it has a matrix unit.
    private static func kernels(ofVectors: Bool) -> revq_kernel_table {
        let context = ComputeContext.current
        guard context.instructionSet == .x86_64_amx, context.algorithm == nil, ofVectors else { return context.kernels }
        return InstructionSet.x86_64_v4.kernels
    }

    /// For the gradient of the weights, a sum over all tiles of the batch `x`, which may depend on it.
    static func chosenForGradient(kernel: Int, stride: Int, of x: Tensor) -> ConvolutionAlgorithm {
        guard kernel == 3, stride == 1, x.c % 16 == 0 else { return .direct }
        return ComputeContext.current.algorithm ?? (x.n * WinogradPieces.tiles(h: x.h, w: x.w) >= fewestTiles(inBatches: false) ? .winograd : .direct)
    }
}
