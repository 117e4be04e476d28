import CKernels

/// The patches that a convolution reads: each output position sees `kernel × kernel × c` inputs, zero beyond the edges.
struct PatchGeometry {
    let images, h, w, c, kernel, stride: Int

    init(_ shape: [Int], kernel: Int, stride: Int) {
        (images, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
        self.kernel = kernel
        self.stride = stride
    }

    var outputHeight: Int { (h + stride - 1) / stride }
    var outputWidth: Int { (w + stride - 1) / stride }
    /// Numbers in one patch.
    var width: Int { kernel * kernel * c }
    /// Whether the patches are the picture itself, row for row.
    var isIdentity: Bool { kernel == 1 && stride == 1 }

    /// Positions handled together: their patches fit a second-level cache.
    private var positionsPerBand: Int { max(16, min(1024, 262_144 / width)) }
    private var positions: Int { outputHeight * outputWidth }

    /// Calls `body` for every band, one after the other: bands are summed, and sums have an order.
    /// `rows` are the band's rows of the output matrix `[n·ho·wo, out]`.
    func forEachBand(_ body: (Band, _ rows: Range<Int>) -> Void) {
        for image in 0..<images {
            for first in Swift.stride(from: 0, to: positions, by: positionsPerBand) {
                let band = Band(geometry: self, image: image, positions: first..<min(positions, first + positionsPerBand))
                body(band, image * positions + band.positions.lowerBound..<image * positions + band.positions.upperBound)
            }
        }
    }

    /// A run of output positions of one image.
    struct Band {
        let geometry: PatchGeometry
        let image: Int
        let positions: Range<Int>

        /// Passes the patch matrix `[positions, k·k·c]` of `x`, `[n, h, w, c]`.
        func withPatches(of x: UnsafePointer<Float>, _ body: (UnsafePointer<Float>) -> Void) {
            let g = geometry
            let picture = x + image * g.h * g.w * g.c
            guard !g.isIdentity else { return body(picture + positions.lowerBound * g.c) }
            var patches = Tensor(uninitialized: [positions.count, g.width])
            patches.withMutablePointer {
                revq_gather_patches(picture, $0, g.h, g.w, g.c, g.kernel, g.stride, positions.lowerBound, positions.upperBound)
                body($0)
            }
        }

        /// Lets `body` fill the gradient of the patch matrix, then adds every patch to its place in `dx`.
        func withGradientPatches(of dx: UnsafeMutablePointer<Float>, _ body: (UnsafeMutablePointer<Float>) -> Void) {
            let g = geometry
            let picture = dx + image * g.h * g.w * g.c
            guard !g.isIdentity else { return body(picture + positions.lowerBound * g.c) }
            var patches = Tensor(uninitialized: [positions.count, g.width])
            patches.withMutablePointer {
                body($0)
                revq_scatter_patches($0, picture, g.h, g.w, g.c, g.kernel, g.stride, positions.lowerBound, positions.upperBound)
            }
        }
    }
}

extension Tensor {
    /// Reads the elements as `[outer, a, b]` and writes them as `[outer, b, a]`.
    func swappingInnerAxes(outer: Int, _ a: Int, _ b: Int) -> Tensor {
        precondition(count == outer * a * b, "\(shape) is not \(outer)×\(a)×\(b)")
        var result = Tensor(uninitialized: [outer, b * a])
        result.withMutablePointer { target in
            withPointer { source in
                for o in 0..<outer {
                    let (from, to) = (source + o * a * b, target + o * a * b)
                    for i in 0..<a {
                        for j in 0..<b { to[j * a + i] = from[i * b + j] }
                    }
                }
            }
        }
        return result
    }
}
