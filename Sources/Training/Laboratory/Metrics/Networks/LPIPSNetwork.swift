import Compute
import Files
import Images

/// Learned perceptual image patch similarity, version 0.1 on AlexNet: how different two pictures look, 0 for equal ones.
///
/// Weights are a safetensors file with the names of the lpips package (torchvision's AlexNet as `net.slice…`, the linear layers as
/// `lin0` … `lin4`), made by `python -c "import lpips, safetensors.torch as s; s.save_file({k: v.clone() for k, v in
/// lpips.LPIPS(net='alex').state_dict().items()}, 'lpips.safetensors')"`.
///
/// Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018); lpips 0.1.4.
package struct LPIPSNetwork: Sendable {
    /// The side below which AlexNet has no last feature map.
    package static let smallestSide = 31

    private static let shift: [Float] = [-0.030, -0.088, -0.188]
    private static let scale: [Float] = [0.458, 0.448, 0.450]

    /// Each ends where features are compared; the result of one is the input of the next.
    private let slices: [FeatureNode]
    /// What a squared difference of each feature counts, per slice.
    private let weights: [[Float]]

    /// - Throws: when the file cannot be read, or a tensor is missing or has another shape.
    package init(_ path: String) throws(FileError) {
        let file = try SafetensorsFile(path)
        func convolution(
            _ name: String, _ input: Int, _ output: Int, _ kernel: Int, stride: Int = 1, padding: Int
        ) throws(FileError) -> FeatureNode {
            let weight = try file.tensor("net.\(name).weight", shape: [output, input, kernel, kernel])
            let bias = try file.tensor("net.\(name).bias", shape: [output])
            return .convolution(
                RectangularConvolution(weight, bias: bias, stride: stride, padding: (padding, padding), activation: .relu))
        }
        slices = [
            try convolution("slice1.0", 3, 64, 11, stride: 4, padding: 2),
            .chain([.pooling(.halvingMaximum), try convolution("slice2.3", 64, 192, 5, padding: 2)]),
            .chain([.pooling(.halvingMaximum), try convolution("slice3.6", 192, 384, 3, padding: 1)]),
            try convolution("slice4.8", 384, 256, 3, padding: 1),
            try convolution("slice5.10", 256, 256, 3, padding: 1),
        ]
        var weights: [[Float]] = []
        for (index, channels) in [64, 192, 384, 256, 256].enumerated() {
            weights.append(try file.tensor("lin\(index).model.1.weight", shape: [1, channels, 1, 1]).values)
        }
        self.weights = weights
    }

    /// - Precondition: equal sizes, sides of at least ``smallestSide``.
    package func distance(_ a: RGBImage, _ b: RGBImage) -> Double {
        precondition(a.width == b.width && a.height == b.height, "\(a.width)×\(a.height) is compared with \(b.width)×\(b.height)")
        precondition(min(a.width, a.height) >= Self.smallestSide, "AlexNet has no features of \(a.width)×\(a.height) pixels")
        var (x, y) = (Self.input(a), Self.input(b))
        var sum = 0.0
        for (slice, weights) in zip(slices, weights) {
            (x, y) = (slice(x), slice(y))
            sum += Self.difference(x, y, weights)
        }
        return sum
    }

    private static func input(_ image: RGBImage) -> Tensor {
        var x = PixelBatch(images: [image]).pixels
        let count = x.count
        x.withMutablePointer { x in
            for i in 0..<count { x[i] = (x[i] - shift[i % 3]) / scale[i % 3] }
        }
        return x
    }

    /// The mean over positions of the weighted squared differences between features of length one.
    private static func difference(_ x: Tensor, _ y: Tensor, _ weights: [Float]) -> Double {
        let (rows, c) = (x.rows, x.c)
        let sum = x.withPointer { x in
            y.withPointer { y in
                (0..<rows).reduce(0.0) { sum, row in
                    let (a, b) = (x + row * c, y + row * c)
                    let (lengthA, lengthB) = (length(a, c), length(b, c))
                    return (0..<c).reduce(sum) { sum, i in
                        let difference = Double(a[i]) / lengthA - Double(b[i]) / lengthB
                        return sum + Double(weights[i]) * difference * difference
                    }
                }
            }
        }
        return sum / Double(rows)
    }

    private static func length(_ x: UnsafePointer<Float>, _ c: Int) -> Double {
        (0..<c).reduce(0.0) { $0 + Double(x[$1]) * Double(x[$1]) }.squareRoot() + 1e-10
    }
}
