import CKernels

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
        let kernels = ComputeContext.current.kernels
        withPointers(writing: &y, reading: x) { y, x in
            RowPieces.forEach(rows: rows, width: width * c) { range in
                for row in range {
                    var (source, target) = (x + row * width * c, y + row / f * (width / f) * c * f * f + row % f * f)
                    for _ in 0..<width / f {
                        kernels.split_channels(source, c, f, f * f, target)
                        source += f * c
                        target += c * f * f
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
                    var (source, target) = (x + row / f * (width / f) * c * f * f + row % f * f, y + row * width * c)
                    for _ in 0..<width / f {
                        for i in 0..<c {
                            for dx in 0..<f { target[dx &* c &+ i] = source[i &* f &* f &+ dx] }
                        }
                        source += c * f * f
                        target += f * c
                    }
                }
            }
        }
        return y
    }
}
