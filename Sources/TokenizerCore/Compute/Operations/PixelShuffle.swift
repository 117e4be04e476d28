/// Trades resolution for channels and back without losing a number.
package enum PixelShuffle {
    /// `[n, h, w, c]` → `[n, h/f, w/f, c·f²]`; channel `f²·i + f·dy + dx` is channel i of pixel (dy, dx) of each f×f tile.
    /// It is also the gradient of ``shuffle(_:factor:)``.
    ///
    /// Source: `torch.nn.functional.pixel_unshuffle`.
    /// - Precondition: `f` divides h and w.
    package static func unshuffle(_ x: Tensor, factor f: Int) -> Tensor {
        precondition(x.h % f == 0 && x.w % f == 0, "\(f)×\(f) tiles do not cover \(x.shape)")
        let (rows, width, c) = (x.n * x.h, x.w, x.c)
        var y = Tensor(uninitialized: [x.n, x.h / f, x.w / f, c * f * f])
        withPointers(writing: &y, reading: x) { y, x in
            RowPieces.forEach(rows: rows, width: width * c) { range in
                for row in range {
                    let tileRow = y + row / f * (width / f) * c * f * f + row % f * f
                    for column in 0..<width {
                        let source = x + (row * width + column) * c
                        let target = tileRow + column / f * c * f * f + column % f
                        for i in 0..<c { target[i * f * f] = source[i] }
                    }
                }
            }
        }
        return y
    }

    /// `[n, h, w, c·f²]` → `[n, h·f, w·f, c]`, the inverse and the gradient of ``unshuffle(_:factor:)``.
    ///
    /// Source: `torch.nn.functional.pixel_shuffle`.
    /// - Precondition: `f²` divides the number of channels.
    package static func shuffle(_ x: Tensor, factor f: Int) -> Tensor {
        precondition(x.c % (f * f) == 0, "\(x.c) channels do not make \(f)×\(f) tiles")
        let (rows, width, c) = (x.n * x.h * f, x.w * f, x.c / (f * f))
        var y = Tensor(uninitialized: [x.n, x.h * f, x.w * f, c])
        withPointers(writing: &y, reading: x) { y, x in
            RowPieces.forEach(rows: rows, width: width * c) { range in
                for row in range {
                    let tileRow = x + row / f * (width / f) * c * f * f + row % f * f
                    for column in 0..<width {
                        let source = tileRow + column / f * c * f * f + column % f
                        let target = y + (row * width + column) * c
                        for i in 0..<c { target[i] = source[i * f * f] }
                    }
                }
            }
        }
        return y
    }
}
