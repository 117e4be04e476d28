import Compute

/// Halves the resolution after a blur by [1 2 1] in both directions; beyond the border the picture is mirrored, two pixels wide.
///
/// Source: the down-sampling of anti-aliased networks (arXiv 1904.11486), as ST-LPIPS (arXiv 2207.13686) pads it.
enum BlurPooling {
    /// In either direction.
    static let weights: [Float] = [0.25, 0.5, 0.25]
    private static let (taps, padding) = (3, 2)

    /// - Parameter x: `[n, h, w, c]`, at least 3×3.
    /// - Returns: `[n, (h + 1) / 2 + 1, (w + 1) / 2 + 1, c]`, rounded down.
    static func forward(_ x: Tensor) -> Tensor {
        precondition(x.h > padding && x.w > padding, "\(x.shape) cannot be mirrored at its border")
        let (h, w, c) = (extent(x.h), extent(x.w), x.c)
        var y = Tensor(zeros: [x.n, h, w, c])
        withPointers(writing: &y, reading: x) { y, source in
            RowPieces.forEach(rows: x.n * h * w, width: c) { range in
                for pixel in range {
                    let target = y + pixel * c
                    forEachTap(of: pixel, h, w, x.h, x.w) { place, weight in
                        let from = source + place * c
                        for i in 0..<c { target[i] += weight * from[i] }
                    }
                }
            }
        }
        return y
    }

    /// - Parameter shape: of what was blurred.
    static func backward(_ dy: Tensor, shape: [Int]) -> Tensor {
        let c = dy.c
        var dx = Tensor(zeros: shape)
        let (height, width) = (dx.h, dx.w)
        withPointers(writing: &dx, reading: dy) { dx, dy_ in
            for pixel in 0..<dy.rows {
                let from = dy_ + pixel * c
                forEachTap(of: pixel, dy.h, dy.w, height, width) { place, weight in
                    let target = dx + place * c
                    for i in 0..<c { target[i] += weight * from[i] }
                }
            }
        }
        return dx
    }

    private static func extent(_ count: Int) -> Int { (count + 2 * padding - taps) / 2 + 1 }

    @inline(__always)
    private static func forEachTap(of pixel: Int, _ h: Int, _ w: Int, _ height: Int, _ width: Int, _ body: (Int, Float) -> Void) {
        let (image, top, left) = (pixel / (h * w), pixel / w % h * 2 - padding, pixel % w * 2 - padding)
        for row in 0..<taps {
            let y = mirrored(top + row, height)
            for column in 0..<taps {
                body((image * height + y) * width + mirrored(left + column, width), weight(row) * weight(column))
            }
        }
    }

    @inline(__always)
    private static func weight(_ tap: Int) -> Float { tap == 1 ? 0.5 : 0.25 }

    @inline(__always)
    private static func mirrored(_ place: Int, _ count: Int) -> Int {
        place < 0 ? -place : place >= count ? 2 * count - 2 - place : place
    }
}
