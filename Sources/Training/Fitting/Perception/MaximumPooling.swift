import Compute

/// The largest value of each neighbourhood that lies inside the picture, channel by channel.
///
/// Source: `torch.nn.MaxPool2d` without padding.
struct MaximumPooling: Sendable {
    let size: Int
    let stride: Int
    /// Whether a last neighbourhood may reach beyond the border: `ceil_mode`.
    var keepsRest = false

    /// - Parameter x: `[n, h, w, c]`, at least as large as a neighbourhood.
    func forward(_ x: Tensor) -> Tensor {
        let (h, w, c) = (extent(x.h), extent(x.w), x.c)
        var y = Tensor(uninitialized: [x.n, h, w, c])
        withPointers(writing: &y, reading: x) { y, x_ in
            RowPieces.forEach(rows: x.n * h * w, width: c) { range in
                for pixel in range {
                    let target = y + pixel * c
                    forEachNeighbour(of: pixel, h, w, x.h, x.w) { place in
                        let source = x_ + place * c
                        for i in 0..<c { target[i] = max(target[i], source[i]) }
                    } first: { place in
                        target.update(from: x_ + place * c, count: c)
                    }
                }
            }
        }
        return y
    }

    /// Each gradient goes to the first of the largest values, in the order of the pixels.
    ///
    /// - Parameter y: what `forward` made of `x`.
    func backward(_ dy: consuming Tensor, x: Tensor, y: Tensor) -> Tensor {
        let (h, w, c) = (dy.h, dy.w, x.c)
        var (dx, left) = (Tensor(zeros: x.shape), dy)
        withPointers(writing: &dx, &left, reading: x, y) { dx, left, x_, y in
            for pixel in 0..<x.n * h * w {
                let (largest, left) = (y + pixel * c, left + pixel * c)
                func hand(to place: Int) {
                    let (values, target) = (x_ + place * c, dx + place * c)
                    for i in 0..<c {
                        let share = values[i] == largest[i] ? left[i] : 0
                        target[i] += share
                        left[i] -= share
                    }
                }
                forEachNeighbour(of: pixel, h, w, x.h, x.w, hand, first: hand)
            }
        }
        return dx
    }

    private func extent(_ count: Int) -> Int {
        precondition(count >= size, "no neighbourhood of \(size) in \(count) pixels")
        return (count - size + (keepsRest ? stride - 1 : 0)) / stride + 1
    }

    /// Calls `first` with the neighbourhood's first pixel, then `others` with each that follows; pixels are numbered through all images.
    @inline(__always)
    private func forEachNeighbour(
        of pixel: Int, _ h: Int, _ w: Int, _ height: Int, _ width: Int, _ others: (Int) -> Void, first: (Int) -> Void
    ) {
        let (top, left) = (pixel / w % h * stride, pixel % w * stride)
        let corner = (pixel / (h * w) * height + top) * width + left
        first(corner)
        for row in 0..<min(size, height - top) {
            for column in 0..<min(size, width - left) where row + column > 0 { others(corner + row * width + column) }
        }
    }
}
