import Compute

/// One step of a frozen classifier's trunk, with its gradient for the input. Its weights are never trained, so they have none.
enum PerceptualLayer: Sendable {
    case convolution(FrozenConvolution)
    case blurredConvolution(BlurredConvolution)
    case rectification
    case pooling(MaximumPooling)
    case blur

    /// - Parameter x: `[n, h, w, c]`.
    func forward(_ x: Tensor) -> Tensor {
        switch self {
        case .convolution(let convolution): convolution.forward(x)
        case .blurredConvolution(let convolution): convolution.forward(x)
        case .rectification: Activation.relu.applied(to: x)
        case .pooling(let pooling): pooling.forward(x)
        case .blur: BlurPooling.forward(x)
        }
    }

    /// The gradient for `x`, given the one for `y`, the result.
    func backward(_ dy: consuming Tensor, x: Tensor, y: Tensor) -> Tensor {
        switch self {
        case .convolution(let convolution): convolution.backward(dy, shape: x.shape)
        case .blurredConvolution(let convolution): convolution.backward(dy, shape: x.shape)
        // The result is above zero where the input is.
        case .rectification: Activation.relu.gradient(dy, at: y)
        case .pooling(let pooling): pooling.backward(dy, x: x, y: y)
        case .blur: BlurPooling.backward(dy, shape: x.shape)
        }
    }
}

/// A k×k convolution of any padding and stride.
///
/// Source: `torch.nn.Conv2d`.
struct FrozenConvolution: Sendable {
    private let map: LinearMap
    private let weight, bias: Tensor
    private let kernel, padding, stride: Int

    /// - Parameters:
    ///   - weight: `[out, in, k, k]`, `k` odd.
    ///   - bias: `[out]`.
    ///   - padding: at most k / 2.
    init(weight: Tensor, bias: Tensor, padding: Int, stride: Int) {
        (map, self.weight, self.bias) = (LinearMap(weight, precision: .float32, servesBatches: true), weight, bias)
        (kernel, self.padding, self.stride) = (weight.shape[2], padding, stride)
    }

    /// A projection and a 3×3 convolution of the same channels, the channels of whose results follow each other, as one: a projection is a kernel that is
    /// nothing but its centre.
    static func joining(_ projection: (weight: Tensor, bias: Tensor), _ convolution: (weight: Tensor, bias: Tensor)) -> FrozenConvolution {
        let centre = convolution.weight.shape[2] * convolution.weight.shape[3]
        var kernels = Tensor(zeros: projection.weight.shape.prefix(2) + convolution.weight.shape.suffix(2))
        withPointers(writing: &kernels, reading: projection.weight) { kernels, weights in
            for index in 0..<projection.weight.count { kernels[index * centre + centre / 2] = weights[index] }
        }
        return FrozenConvolution(
            weight: .joiningImages([kernels, convolution.weight]), bias: .joiningImages([projection.bias, convolution.bias]), padding: 1, stride: 1)
    }

    /// What is lost at each border of what a padding of k / 2 gives.
    private var margin: Int { kernel / 2 - padding }

    /// Computed at stride 1: the strided convolutions of these trunks are their first ones, where a large picture has few channels.
    func forward(_ x: Tensor) -> Tensor {
        let y = map.forward.apply(x, bias: bias)
        return isWhole ? y : y.picked(from: margin, every: stride)
    }

    /// - Parameter shape: of what was convolved.
    func backward(_ dy: consuming Tensor, shape: [Int]) -> Tensor {
        let dy = isWhole ? dy : dy.spread(to: shape[1], shape[2], from: margin, every: stride)
        // A convolution to the three channels of a picture would leave most of a register empty.
        return shape[3] < 16 ? stridedConvolutionGradient(dy, shape: shape, weight: weight, stride: 1) : map.backward.apply(dy, bias: nil)
    }

    private var isWhole: Bool { margin == 0 && stride == 1 }
}

extension Tensor {
    /// The pixels at `margin`, `margin + stride` … in both directions, up to `margin` from the far border.
    fileprivate func picked(from margin: Int, every stride: Int) -> Tensor {
        let (height, width, c) = (h, w, self.c)
        let (rows, columns) = ((height - 2 * margin - 1) / stride + 1, (width - 2 * margin - 1) / stride + 1)
        var result = Tensor(uninitialized: [n, rows, columns, c])
        withPointers(writing: &result, reading: self) { target, source in
            RowPieces.forEach(rows: n * rows, width: columns * c) { range in
                for row in range {
                    let from = source + ((row / rows * height + margin + row % rows * stride) * width + margin) * c
                    let to = target + row * columns * c
                    guard stride > 1 else {
                        to.update(from: from, count: columns * c)
                        continue
                    }
                    for column in 0..<columns { (to + column * c).update(from: from + column * stride * c, count: c) }
                }
            }
        }
        return result
    }

    /// The reverse: these pixels in a picture of `height` × `width` zeros.
    fileprivate func spread(to height: Int, _ width: Int, from margin: Int, every stride: Int) -> Tensor {
        let (rows, columns, c) = (h, w, self.c)
        var result = Tensor(zeros: [n, height, width, c])
        withPointers(writing: &result, reading: self) { target, source in
            RowPieces.forEach(rows: n * rows, width: columns * c) { range in
                for row in range {
                    let to = target + ((row / rows * height + margin + row % rows * stride) * width + margin) * c
                    let from = source + row * columns * c
                    for column in 0..<columns { (to + column * stride * c).update(from: from + column * c, count: c) }
                }
            }
        }
        return result
    }
}
