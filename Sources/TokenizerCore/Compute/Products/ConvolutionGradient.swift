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
        tapMajor.addProduct(of: dy, patches, of: x)
        add(tapMajor.swappingInnerAxes(outer: outputs, kernel * kernel, inputs).reshaped(shape))
    }

    private mutating func addProduct(of dy: Tensor, _ patches: PatchGeometry, of x: Tensor) {
        let (k, outputs) = (patches.width, dy.c)
        withPointers(writing: &self, reading: x, dy) { sum, x, dy in
            patches.forEachBand { band in
                band.withPatches(of: x) { patches in
                    addTransposedProduct(
                        of: dy + band.rows.lowerBound * outputs, patches, rows: band.rows.count, m: outputs, n: k, to: sum)
                }
            }
        }
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

/// The product that weight gradients are: `sum[m, n] += aᵀ · b` for `a[rows, m]` and `b[rows, n]`.
///
/// Each sum is formed in fp32, in runs of rows whose length depends on the processor alone.
///
/// - Parameters:
///   - sum: `[m, n]`, or another shape with these elements.
package func addTransposedProduct(
    of a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, rows: Int, m: Int, n: Int, to sum: UnsafeMutablePointer<Float>
) {
    let kernels = ComputeContext.current.kernels
    let panels = WeightPanels(rows: b, k: rows, n: n)
    let pieces = ProductPieces(rows: m, columns: n, least: 1024)
    Workers.forEach(pieces.count) { piece in
        let (rowRange, columns) = pieces[piece]
        let (top, left) = (rowRange.lowerBound, columns.lowerBound)
        panels.withPointer(fromColumn: left) {
            kernels.add_transposed_product(rowRange.count, columns.count, rows, a + top, m, $0, sum + top * n + left, n)
        }
    }
}
