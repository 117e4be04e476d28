import Compute
import Files
import Images

/// EfficientNet-Lite0 up to its 1,280 pooled features: a classifier whose weights can be had.
///
/// Weights are a file of `Tools/perceptual.py efficientnet_lite0`, with the names of the package efficientnet_lite_pytorch.
///
/// Sources: that package's `model.py`; Tan and Le, "EfficientNet" (2019).
package struct EfficientNetLite: FeatureNetwork {
    package static let features = 1280
    /// As figures over its features are called.
    package static let title = "FD-EffNetLite0"
    private static let side = 224
    /// Of the colours in 0 … 1, as torchvision's classifiers have them.
    private static let (mean, deviation): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

    private let stem, head: RectangularConvolution
    private let blocks: [InvertedBottleneck]

    /// - Throws: when the file cannot be read or is of another network, or a tensor is missing or has another shape.
    package init(_ path: String) throws(FileError) {
        let file = try SafetensorsFile(path)
        let last = InvertedBottleneck.all.count - 1
        guard (try? file.entry("_blocks.\(last)._project_conv.weight"))?.shape == [320, 1152, 1, 1], (try? file.entry("_conv_head.weight")) != nil
        else {
            throw FileError(path: path, reason: "\(path) holds no EfficientNet-Lite0 by the names of the package efficientnet_lite_pytorch")
        }
        stem = try RectangularConvolution(
            file, "_conv_stem", norm: "_bn0", from: 3, to: InvertedBottleneck.all[0].inputs, kernel: 3)
        var blocks: [InvertedBottleneck] = []
        for (index, shape) in InvertedBottleneck.all.enumerated() { blocks.append(try InvertedBottleneck(file, "_blocks.\(index)", shape)) }
        self.blocks = blocks
        head = try RectangularConvolution(file, "_conv_head", norm: "_bn1", from: InvertedBottleneck.all[last].outputs, to: Self.features, kernel: 1)
    }

    /// The picture is resized so that its shorter side has 224 pixels; the centre square counts.
    package func map(of image: RGBImage) -> Tensor {
        let square = SquarePreprocessor(imageSize: Self.side)(image)
        let values = square.pixels.enumerated().map { index, byte in (Float(byte) / 255 - Self.mean[index % 3]) / Self.deviation[index % 3] }
        var x = stem(Tensor(values, shape: [1, Self.side, Self.side, 3])).halved().rectifiedToSix()
        for block in blocks { x = block(x) }
        return head(x).rectifiedToSix()
    }
}

/// A projection to more channels, a convolution of each channel by itself, and a projection to fewer.
///
/// Source: `MBConvBlock` of efficientnet_lite_pytorch.
private struct InvertedBottleneck: Sendable {
    struct Shape {
        let kernel, stride, expansion, inputs, outputs: Int
        /// Whether the input is added to the result.
        let isResidual: Bool
    }

    /// In runs of one kernel and so many outputs; the first of a run has the stride.
    static let all: [Shape] = {
        var (shapes, channels): ([Shape], Int) = ([], 32)
        for (count, kernel, stride, expansion, outputs) in [
            (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
        ] {
            for index in 0..<count {
                shapes.append(
                    Shape(
                        kernel: kernel, stride: index == 0 ? stride : 1, expansion: expansion, inputs: channels, outputs: outputs,
                        isResidual: index > 0))
                channels = outputs
            }
        }
        return shapes
    }()

    private let shape: Shape
    private let expand: RectangularConvolution?
    private let depthwise: PackedDepthwise
    private let depthwiseBias: Tensor
    private let project: RectangularConvolution

    init(_ file: SafetensorsFile, _ name: String, _ shape: Shape) throws(FileError) {
        let inner = shape.inputs * shape.expansion
        self.shape = shape
        expand =
            shape.expansion == 1
            ? nil : try RectangularConvolution(file, "\(name)._expand_conv", norm: "\(name)._bn0", from: shape.inputs, to: inner, kernel: 1)
        let (weight, bias) = try file.foldedConvolution(
            "\(name)._depthwise_conv.weight", norm: "\(name)._bn1", shape: [inner, 1, shape.kernel, shape.kernel], epsilon: normalizationEpsilon)
        (depthwise, depthwiseBias) = (PackedDepthwise(weight), bias)
        project = try RectangularConvolution(file, "\(name)._project_conv", norm: "\(name)._bn2", from: inner, to: shape.outputs, kernel: 1)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let hidden = expand.map { $0(x).rectifiedToSix() } ?? x
        let convolved = convolve(hidden, with: depthwise, bias: depthwiseBias)
        var y = project((shape.stride == 2 ? convolved.halved() : convolved).rectifiedToSix())
        if shape.isResidual { y.add(x) }
        return y
    }
}

private let normalizationEpsilon: Float = 1e-3

extension RectangularConvolution {
    fileprivate init(_ file: SafetensorsFile, _ name: String, norm: String, from inputs: Int, to outputs: Int, kernel: Int) throws(FileError) {
        let (weight, bias) = try file.foldedConvolution(
            "\(name).weight", norm: norm, shape: [outputs, inputs, kernel, kernel], epsilon: normalizationEpsilon)
        self.init(weight, bias: bias, padding: (kernel / 2, kernel / 2))
    }
}

extension Tensor {
    /// Every second pixel in both directions, from the second on: where TensorFlow's padding puts the results of a stride of 2 in a picture of even
    /// extents.
    fileprivate func halved() -> Tensor {
        let (h, w, c) = (self.h / 2, self.w / 2, self.c)
        let width = self.w
        precondition(self.h % 2 == 0 && width % 2 == 0, "\(shape) cannot be halved")
        var result = Tensor(uninitialized: [n, h, w, c])
        withPointers(writing: &result, reading: self) { target, source in
            for pixel in 0..<n * h * w {
                let (line, column) = (pixel / w, pixel % w)
                (target + pixel * c).update(from: source + ((2 * line + 1) * width + 2 * column + 1) * c, count: c)
            }
        }
        return result
    }

    /// `torch.nn.ReLU6`.
    fileprivate consuming func rectifiedToSix() -> Tensor {
        let count = self.count
        var result = self
        result.withMutablePointer { x in
            for i in 0..<count { x[i] = min(max(x[i], 0), 6) }
        }
        return result
    }
}
