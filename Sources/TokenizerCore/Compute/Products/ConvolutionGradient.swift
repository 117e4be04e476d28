import CKernels

extension Tensor {
    /// Adds to these weights of a convolution, `[out, in, k, k]` or `[out, in]`, their gradient: Σ dyᵀ · patches of x.
    ///
    /// - Parameters:
    ///   - dy: the gradient for the result, `[n, ⌈h/stride⌉, ⌈w/stride⌉, out]`.
    ///   - x: what was convolved, `[n, h, w, in]`.
    package mutating func addConvolutionGradient(_ dy: Tensor, at x: Tensor, stride: Int) {
        let (outputs, inputs, kernel) = (shape[0], shape[1], shape.count == 4 ? shape[2] : 1)
        let patches = PatchGeometry(x.shape, kernel: kernel, stride: stride)
        guard kernel > 1 else { return addProduct(of: dy, patches, of: x) }
        // Patches are ordered (tap, channel), weights (channel, tap).
        var tapMajor = Tensor(zeros: [outputs, kernel * kernel * inputs])
        switch ConvolutionAlgorithm.chosenForGradient(kernel: kernel, stride: stride, of: x) {
        case .direct: tapMajor.addProduct(of: dy, patches, of: x)
        case .winograd: tapMajor.addWinogradGradient(dy, at: x)
        }
        add(tapMajor.swappingInnerAxes(outer: outputs, kernel * kernel, inputs).reshaped(shape))
    }

    private mutating func addProduct(of dy: Tensor, _ patches: PatchGeometry, of x: Tensor) {
        let outputs = dy.c
        withPointers(writing: &self, reading: x, dy) { sum, x, dy in
            patches.forEachBand { band in
                addTransposedProduct(of: dy + band.rows.lowerBound * outputs, m: outputs, band.panels(of: x), to: sum)
            }
        }
    }

    /// To weights `[out, 9, in]`.
    private mutating func addWinogradGradient(_ dy: Tensor, at x: Tensor) {
        let (h, w, c, n) = (x.h, x.w, x.c, dy.c)
        let pieces = WinogradGradientPieces(tiles: x.n * WinogradPieces.tiles(h: h, w: w), columns: c)
        let kernels = ConvolutionAlgorithm.winogradGradientKernels(c: c, n: n)
        // Each group of tiles has sums of its own, which are added up in order.
        var parts = Tensor(zeros: [pieces.groups] + shape)
        let cost = ComputeProfile.Cost(multiplications: pieces.tiles * 36 * c * n, floats: x.count + dy.count + 2 * parts.count)
        withPointers(writing: &parts, reading: x, dy) { parts, x, dy in
            Workers.forEach(pieces.count, operation: "3×3 Winograd, weights", cost: cost) { index in
                let (group, tiles, columns) = pieces[index]
                withScratch(kernels.winograd_gradient_scratch(n, columns.count)) { scratch in
                    kernels.add_winograd_gradient(
                        x, dy, h, w, c, n, tiles.lowerBound, tiles.upperBound, columns.lowerBound, columns.upperBound, parts + group * n * 9 * c,
                        scratch)
                }
            }
        }
        for group in 0..<pieces.groups { add(parts.images(group..<group + 1).reshaped(shape)) }
    }
}

/// How a Winograd gradient for weights is cut into pieces for the ``Workers``: groups of tiles, and channels of what was convolved. The cut
/// depends on shapes alone, and so does the order of the sums.
private struct WinogradGradientPieces {
    /// So many tiles pay for sums of their own; so many groups keep all cores busy, and their sums small beside the pictures.
    private static let (leastTiles, mostGroups, columnsPerPiece) = (1024, 4, 128)

    let tiles: Int
    let columns: Int
    private let tilesPerGroup: Int

    init(tiles: Int, columns: Int) {
        (self.tiles, self.columns) = (tiles, columns)
        tilesPerGroup = max(Self.leastTiles, (tiles + Self.mostGroups - 1) / Self.mostGroups)
    }

    var groups: Int { (tiles + tilesPerGroup - 1) / tilesPerGroup }
    private var across: Int { (columns + Self.columnsPerPiece - 1) / Self.columnsPerPiece }
    var count: Int { across * groups }

    subscript(piece: Int) -> (group: Int, tiles: Range<Int>, columns: Range<Int>) {
        let (group, column) = piece.quotientAndRemainder(dividingBy: across)
        let (first, left) = (group * tilesPerGroup, column * Self.columnsPerPiece)
        return (group, first..<min(tiles, first + tilesPerGroup), left..<min(columns, left + Self.columnsPerPiece))
    }
}

/// The gradient for what was convolved with a stride: every output's share, dy · W, added to the patch it came from.
///
/// - Parameters:
///   - shape: of what was convolved, `[n, h, w, in]`.
///   - weight: `[out, in, k, k]`.
package func stridedConvolutionGradient(_ dy: Tensor, shape: [Int], weight: Tensor, stride: Int) -> Tensor {
    let (outputs, inputs, kernel) = (weight.shape[0], weight.shape[1], weight.shape.count == 4 ? weight.shape[2] : 1)
    let patches = PatchGeometry(shape, kernel: kernel, stride: stride)
    let k = patches.width
    // A patch of an NHWC picture is one run of memory per tap, so the weights are read in that order.
    let tapMajor = weight.swappingInnerAxes(outer: outputs, inputs, kernel * kernel)
    var dx = Tensor(zeros: shape)
    withPointers(writing: &dx, reading: tapMajor, dy) { dx, weight, dy in
        patches.forEachBand { band in
            band.withGradientPatches(of: dx) { target in
                MatrixProduct.multiply(
                    MatrixView(base: dy + band.rows.lowerBound * outputs, stride: outputs), MatrixView(base: weight, stride: k),
                    into: target, stride: k, m: band.rows.count, n: k, k: outputs)
            }
        }
    }
    return dx
}

/// The product that weight gradients are: `sum[m, n] += aᵀ · b` for `a[k, m]` and `b[k, n]`.
///
/// Each sum is formed in fp32, in runs of rows whose length depends on the processor alone.
///
/// - Parameters:
///   - sum: `[m, n]`, or another shape with these elements.
private func addTransposedProduct(of a: UnsafePointer<Float>, m: Int, _ b: WeightPanels, to sum: UnsafeMutablePointer<Float>) {
    let (kernels, n) = (ComputeContext.current.kernels, b.n)
    let pieces = ProductPieces(rows: m, columns: n, least: 1024)
    let cost = ComputeProfile.Cost(multiplications: m * n * b.k, floats: b.k * (m + n) + m * n)
    Workers.forEach(pieces.count, operation: "direct, weights", cost: cost) { piece in
        let (rowRange, columns) = pieces[piece]
        let (top, left) = (rowRange.lowerBound, columns.lowerBound)
        b.withPointer(fromColumn: left) {
            kernels.add_transposed_product(rowRange.count, columns.count, b.k, a + top, m, $0, sum + top * n + left, n)
        }
    }
}
