import CKernels

/// The parameter-free shortcuts around DC-AE's steps between resolutions.
package enum Shortcut {
    /// Adds the means over each `group` consecutive channels of the pixel-unshuffled picture.
    ///
    /// - Parameters:
    ///   - x: `[n, h, w, c]`.
    ///   - y: `[n, h/2, w/2, 4c / group]`.
    ///
    /// Source: diffusers `DCDownBlock2d`.
    package static func addDownsampled(_ x: Tensor, group: Int, to y: inout Tensor) {
        precondition(
            x.h % 2 == 0 && x.w % 2 == 0 && y.shape == [x.n, x.h / 2, x.w / 2, 4 * x.c / group],
            "the shortcut from \(x.shape) in groups of \(group) does not lead to \(y.shape)")
        let (h, w, c, kernels) = (x.h, x.w, x.c, ComputeContext.current.kernels)
        let (rows, width) = (y.n * y.h, y.w * y.c)
        withPointers(writing: &y, reading: x) { y, x in
            RowPieces.forEach(rows: rows, width: width) { lines in
                kernels.add_downsampled(x, h, w, c, group, lines.lowerBound, lines.upperBound, y)
            }
        }
    }

    /// Adds the pixel-shuffle of the picture with each channel repeated.
    ///
    /// - Parameters:
    ///   - x: `[n, h, w, c]`.
    ///   - y: `[n, 2h, 2w, c · repeats / 4]`.
    ///
    /// Source: diffusers `DCUpBlock2d`.
    package static func addUpsampled(_ x: Tensor, repeats: Int, to y: inout Tensor) {
        precondition(
            y.shape == [x.n, 2 * x.h, 2 * x.w, x.c * repeats / 4],
            "the shortcut from \(x.shape), channels \(repeats) times, does not lead to \(y.shape)")
        let (h, w, c, kernels) = (x.h, x.w, x.c, ComputeContext.current.kernels)
        let (rows, width) = (y.n * y.h, y.w * y.c)
        withPointers(writing: &y, reading: x) { y, x in
            RowPieces.forEach(rows: rows, width: width) { lines in
                kernels.add_upsampled(x, h, w, c, repeats, lines.lowerBound, lines.upperBound, y)
            }
        }
    }
}
