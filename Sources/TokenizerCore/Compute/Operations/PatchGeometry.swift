import CKernels

/// The patches that a convolution reads: each output position sees `kernel × kernel × c` inputs, zero beyond the edges.
package struct PatchGeometry {
    let images, h, w, c, kernel, stride: Int

    package init(_ shape: [Int], kernel: Int, stride: Int) {
        (images, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
        self.kernel = kernel
        self.stride = stride
    }

    var outputHeight: Int { (h + stride - 1) / stride }
    var outputWidth: Int { (w + stride - 1) / stride }
    /// Numbers in one patch.
    package var width: Int { kernel * kernel * c }
    /// Whether the patches are the picture itself, row for row.
    var isIdentity: Bool { kernel == 1 && stride == 1 }

    /// Positions handled together: their patches fit a second-level cache.
    private var rowsPerBand: Int { max(16, min(1024, 524_288 / width)) }
    private var positions: Int { outputHeight * outputWidth }

    /// Calls `body` for every band, one after the other: bands are summed, and sums have an order.
    package func forEachBand(_ body: (Band) -> Void) {
        let rows = images * positions
        for first in Swift.stride(from: 0, to: rows, by: rowsPerBand) {
            body(Band(geometry: self, rows: first..<min(rows, first + rowsPerBand)))
        }
    }

    /// Some rows of the output matrix `[n·ho·wo, out]`.
    package struct Band {
        let geometry: PatchGeometry
        package let rows: Range<Int>

        /// Passes the patch matrix `[rows, k·k·c]` of `x`, `[n, h, w, c]`.
        package func withPatches(of x: UnsafePointer<Float>, _ body: (UnsafePointer<Float>) -> Void) {
            let g = geometry
            guard !g.isIdentity else { return body(x + rows.lowerBound * g.c) }
            var patches = Tensor(uninitialized: [rows.count, g.width])
            patches.withMutablePointer { patches in
                forEachImage { image, positions, offset in
                    revq_gather_patches(
                        x + image * g.h * g.w * g.c, patches + offset * g.width, g.h, g.w, g.c, g.kernel, g.stride, positions.lowerBound,
                        positions.upperBound)
                }
                body(patches)
            }
        }

        /// The patch matrix as the right factor of a product.
        func panels(of x: UnsafePointer<Float>) -> WeightPanels {
            let g = geometry
            guard !g.isIdentity else { return WeightPanels(rows: x + rows.lowerBound * g.c, k: rows.count, n: g.c) }
            return WeightPanels(k: rows.count, n: g.width) { range, panels in
                forEachImage(of: range) { image, positions, offset in
                    revq_pack_patches(
                        x + image * g.h * g.w * g.c, panels, g.h, g.w, g.c, g.kernel, g.stride, positions.lowerBound, positions.upperBound,
                        range.lowerBound + offset, rows.count)
                }
            }
        }

        /// Lets `body` fill the gradient of the patch matrix, then adds every patch to its place in `dx`.
        package func withGradientPatches(of dx: UnsafeMutablePointer<Float>, _ body: (UnsafeMutablePointer<Float>) -> Void) {
            let g = geometry
            guard !g.isIdentity else { return body(dx + rows.lowerBound * g.c) }
            var patches = Tensor(uninitialized: [rows.count, g.width])
            patches.withMutablePointer { patches in
                body(patches)
                forEachImage { image, positions, offset in
                    revq_scatter_patches(
                        patches + offset * g.width, dx + image * g.h * g.w * g.c, g.h, g.w, g.c, g.kernel, g.stride, positions.lowerBound,
                        positions.upperBound)
                }
            }
        }

        private func forEachImage(_ body: (_ image: Int, _ positions: Range<Int>, _ offset: Int) -> Void) {
            forEachImage(of: 0..<rows.count, body)
        }

        /// The positions of some of the band's rows in each image they touch, and how many of these rows come before them.
        private func forEachImage(of part: Range<Int>, _ body: (_ image: Int, _ positions: Range<Int>, _ offset: Int) -> Void) {
            var row = part.lowerBound
            while row < part.upperBound {
                let (image, position) = (rows.lowerBound + row).quotientAndRemainder(dividingBy: geometry.positions)
                let end = min(geometry.positions, position + part.upperBound - row)
                body(image, position..<end, row - part.lowerBound)
                row += end - position
            }
        }
    }
}

extension Tensor {
    /// Reads the elements as `[outer, a, b]` and writes them as `[outer, b, a]`.
    package func swappingInnerAxes(outer: Int, _ a: Int, _ b: Int) -> Tensor {
        precondition(count == outer * a * b, "\(shape) is not \(outer)×\(a)×\(b)")
        var result = Tensor(uninitialized: [outer, b * a])
        withPointers(writing: &result, reading: self) { target, source in
            for o in 0..<outer {
                let (from, to) = (source + o * a * b, target + o * a * b)
                for i in 0..<a {
                    for j in 0..<b { to[j * a + i] = from[i * b + j] }
                }
            }
        }
        return result
    }
}
