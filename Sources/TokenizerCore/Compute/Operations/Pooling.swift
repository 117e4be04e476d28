/// Summaries of a picture's 3×3 neighbourhoods, channel by channel. Inference only.
package enum Pooling: Sendable {
    /// The largest value, of every second neighbourhood that lies inside the picture.
    case halvingMaximum
    /// The largest value around each pixel.
    case maximum
    /// The mean around each pixel of those values that lie in the picture.
    case mean

    /// - Parameter x: `[n, h, w, c]`, at least 3×3.
    /// - Returns: `[n, h, w, c]`, or `[n, (h − 3) / 2 + 1, (w − 3) / 2 + 1, c]` for ``halvingMaximum``.
    ///
    /// Source: `torch.nn.functional`'s `max_pool2d`, and `avg_pool2d` with `count_include_pad=False`.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        precondition(x.shape.count == 4 && x.h >= 3 && x.w >= 3, "3×3 neighbourhoods do not fit into \(x.shape)")
        let (stride, padding) = self == .halvingMaximum ? (2, 0) : (1, 1)
        let (height, width, c) = (x.h, x.w, x.c)
        let (h, w) = ((height + 2 * padding - 3) / stride + 1, (width + 2 * padding - 3) / stride + 1)
        var result = Tensor(uninitialized: [x.n, h, w, c])
        let pixels = x.n * h * w
        withPointers(writing: &result, reading: x) { result, x in
            RowPieces.forEach(rows: pixels, width: 9 * c) { range in
                for pixel in range {
                    let (image, top, left) = (pixel / (h * w), pixel / w % h * stride - padding, pixel % w * stride - padding)
                    let rows = max(0, top)..<min(height, top + 3)
                    let columns = max(0, left)..<min(width, left + 3)
                    let target = result + pixel * c
                    for row in rows {
                        for column in columns {
                            let source = x + ((image * height + row) * width + column) * c
                            let isFirst = row == rows.lowerBound && column == columns.lowerBound
                            isFirst ? target.update(from: source, count: c) : combine(target, source, c)
                        }
                    }
                    if self == .mean {
                        let share = 1 / Float(rows.count * columns.count)
                        for i in 0..<c { target[i] *= share }
                    }
                }
            }
        }
        return result
    }

    private func combine(_ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, _ c: Int) {
        if self == .mean {
            for i in 0..<c { target[i] += source[i] }
        } else {
            for i in 0..<c { target[i] = max(target[i], source[i]) }
        }
    }
}
