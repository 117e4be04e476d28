import CKernels

/// The largest value of each neighbourhood that lies inside the picture, channel by channel.
///
/// Source: `torch.nn.MaxPool2d` without padding.
package struct MaximumPooling: Sendable {
    private let size: Int
    private let stride: Int
    private let keepsRest: Bool

    /// - Parameter keepsRest: whether a last neighbourhood may reach beyond the border: `ceil_mode`.
    package init(size: Int, stride: Int, keepsRest: Bool = false) {
        (self.size, self.stride, self.keepsRest) = (size, stride, keepsRest)
    }

    /// - Parameter x: `[n, h, w, c]`, at least as large as a neighbourhood.
    package func forward(_ x: Tensor) -> Tensor {
        let (h, w, c, kernels) = (extent(x.h), extent(x.w), x.c, ComputeContext.current.kernels)
        var y = Tensor(uninitialized: [x.n, h, w, c])
        withPointers(writing: &y, reading: x) { y, pixels in
            RowPieces.forEach(rows: x.n * h * w, width: c, operation: "maximum pooling") { range in
                kernels.pool_maximum(pixels, x.h, x.w, c, size, stride, h, w, range.lowerBound, range.upperBound, y)
            }
        }
        return y
    }

    /// Each gradient goes to the first of the largest values, in the order of the pixels.
    ///
    /// - Parameters:
    ///   - dy: the gradient for `y`.
    ///   - y: what `forward` made of `x`.
    package func backward(_ dy: Tensor, x: Tensor, y: Tensor) -> Tensor {
        precondition(dy.shape == y.shape, "a gradient of \(dy.shape) for results of \(y.shape)")
        let (h, w, c, kernels) = (y.h, y.w, x.c, ComputeContext.current.kernels)
        var dx = Tensor(zeros: x.shape)
        let cost = ComputeProfile.Cost(floats: 2 * (x.count + y.count))
        withPointers(writing: &dx, reading: x, y, dy) { dx, pixels, y, dy in
            // Neighbourhoods overlap, pictures do not.
            Workers.forEach(x.n, operation: "maximum pooling, gradient", cost: cost) { image in
                kernels.pool_maximum_backward(pixels, x.h, x.w, c, size, stride, h, w, y, dy, image * h * w, (image + 1) * h * w, dx)
            }
        }
        return dx
    }

    private func extent(_ count: Int) -> Int {
        precondition(count >= size, "no neighbourhood of \(size) in \(count) pixels")
        return (count - size + (keepsRest ? stride - 1 : 0)) / stride + 1
    }
}
