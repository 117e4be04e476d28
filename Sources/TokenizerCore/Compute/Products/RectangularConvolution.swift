/// A convolution of any kernel, stride and padding, with bias and activation: what classifiers are made of. Inference only.
///
/// The patches of a few rows at a time are gathered and multiplied with the weights; a row of pictures never influences another's rounding.
///
/// Source: `torch.nn.functional.conv2d(x, weight, bias, stride, padding)`.
package struct RectangularConvolution: Sendable {
    /// Rows and columns of the kernel, and zeros around the picture.
    package typealias Extent = (height: Int, width: Int)

    private let kernel, padding: Extent
    private let stride: Int
    private let inputs, outputs: Int
    private let weights: PackedMatrix
    private let bias: Tensor
    private let activation: Activation?

    /// Results of one piece of work; the gathered patches of so many stay in a core's cache.
    private static let pixelsPerPiece = 512

    /// - Parameters:
    ///   - weight: `[out, in, height, width]`, as in PyTorch.
    ///   - bias: `[out]`.
    ///   - stride: the same in both directions.
    package init(_ weight: Tensor, bias: Tensor, stride: Int = 1, padding: Extent = (0, 0), activation: Activation? = nil) {
        precondition(weight.shape.count == 4 && bias.count == weight.shape[0], "a kernel of \(weight.shape) with \(bias.shape) biases")
        precondition(stride >= 1 && padding.height >= 0 && padding.width >= 0, "a stride of \(stride) with padding \(padding)")
        kernel = (weight.shape[2], weight.shape[3])
        (outputs, inputs) = (weight.shape[0], weight.shape[1])
        // A row of an NHWC patch is one run of memory, so the weights are read in that order.
        let taps = kernel.height * kernel.width
        let tapMajor = weight.swappingInnerAxes(outer: outputs, inputs, taps).reshaped([outputs, taps * inputs])
        weights = PackedMatrix(tapMajor)
        (self.bias, self.stride, self.padding, self.activation) = (bias, stride, padding, activation)
    }

    /// - Parameter x: `[n, h, w, in]`, not smaller than the kernel.
    /// - Returns: `[n, (h + 2·padding − kernel) / stride + 1, …, out]`.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        precondition(x.shape.count == 4 && x.c == inputs, "a convolution of \(inputs) channels got \(x.shape)")
        let h = (x.h + 2 * padding.height - kernel.height) / stride + 1
        let w = (x.w + 2 * padding.width - kernel.width) / stride + 1
        precondition(h > 0 && w > 0, "a kernel of \(kernel) does not fit into \(x.shape)")
        if kernel == (1, 1) && stride == 1 && padding == (0, 0) { return project(x, with: weights, bias: bias, activation: activation) }
        let rowsPerPiece = max(1, Self.pixelsPerPiece / w)
        let piecesPerImage = (h + rowsPerPiece - 1) / rowsPerPiece
        var y = Tensor(uninitialized: [x.n, h, w, outputs])
        y.withMutablePointer { y in
            Workers.forEach(x.n * piecesPerImage) { piece in
                let (image, first) = (piece / piecesPerImage, piece % piecesPerImage * rowsPerPiece)
                let rows = first..<min(h, first + rowsPerPiece)
                let part = project(patches(of: x, image, rows, w), with: weights, bias: bias, activation: activation)
                part.withPointer { (y + (image * h + first) * w * outputs).update(from: $0, count: part.count) }
            }
        }
        return y
    }

    /// The patches of rows `rows` of the result: `[rows · w, kernel · in]`.
    private func patches(of x: Tensor, _ image: Int, _ rows: Range<Int>, _ w: Int) -> Tensor {
        let (line, height, width) = (kernel.width * inputs, x.h, x.w)
        var patches = Tensor(zeros: [rows.count * w, kernel.height * line])
        withPointers(writing: &patches, reading: x) { target, x in
            for (index, row) in rows.enumerated() {
                for column in 0..<w {
                    let patch = target + (index * w + column) * kernel.height * line
                    let left = column * stride - padding.width
                    // The columns of the kernel that lie inside the picture.
                    let (from, until) = (max(0, -left), min(kernel.width, width - left))
                    guard from < until else { continue }
                    for tap in 0..<kernel.height {
                        let y = row * stride - padding.height + tap
                        guard y >= 0 && y < height else { continue }
                        let source = x + ((image * height + y) * width + left + from) * inputs
                        (patch + tap * line + from * inputs).update(from: source, count: (until - from) * inputs)
                    }
                }
            }
        }
        return patches
    }
}
