/// Doubles the resolution by repeating each pixel.
///
/// Source: `torch.nn.functional.interpolate(scale_factor=2, mode="nearest")`.
package enum NearestUpsampling {
    /// `[n, h, w, c]` → `[n, 2h, 2w, c]`.
    package static func forward(_ x: Tensor) -> Tensor {
        let (w, c, rows) = (x.w, x.c, x.n * x.h * 2)
        var y = Tensor(uninitialized: [x.n, 2 * x.h, 2 * x.w, c])
        withPointers(writing: &y, reading: x) { y, x in
            RowPieces.forEach(rows: rows, width: 2 * w * c) { range in
                for row in range {
                    for column in 0..<2 * w {
                        (y + (row * 2 * w + column) * c).update(from: x + (row / 2 * w + column / 2) * c, count: c)
                    }
                }
            }
        }
        return y
    }

    /// The gradient: each pixel gets the sum over its four copies.
    package static func backward(_ dy: Tensor) -> Tensor {
        let (w, c, rows) = (dy.w, dy.c, dy.n * dy.h)
        var dx = Tensor(zeros: [dy.n, dy.h / 2, dy.w / 2, c])
        withPointers(writing: &dx, reading: dy) { dx, dy in
            for row in 0..<rows {
                for column in 0..<w {
                    let source = dy + (row * w + column) * c
                    let target = dx + (row / 2 * (w / 2) + column / 2) * c
                    for i in 0..<c { target[i] += source[i] }
                }
            }
        }
        return dx
    }
}
