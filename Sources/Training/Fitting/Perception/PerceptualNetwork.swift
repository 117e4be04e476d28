import Compute
import Files
import Images

/// How different two pictures look: a classifier's features of both, compared channel by channel with learned weights.
///
/// Features are scaled to unit length at each position; their squared differences, weighted, are averaged over positions and added up over
/// the places where the trunk is listened to.
///
/// Source: The Unreasonable Effectiveness of Deep Features as a Perceptual Metric (arXiv 1801.03924), `LPIPS` with `lpips=True`.
package struct PerceptualNetwork: Sendable {
    package let trunk: PerceptualTrunk
    private let layers: [PerceptualLayer]
    /// For each place of listening: how many layers come before it, and its channels' weights.
    private let places: [(layers: Int, weights: [Float])]

    private static let (mean, deviation): ([Float], [Float]) = ([-0.030, -0.088, -0.188], [0.458, 0.448, 0.450])

    /// Reads a file with the names of the packages lpips and stlpips-pytorch, as `Tools/perceptual.py` writes it; which trunk it is follows from
    /// its convolutions. What else it holds, such as the blurs' constants, is passed over.
    /// - Throws: when the file cannot be read, holds no trunk that is known, or a tensor is missing or of another shape.
    package init(_ path: String) throws(FileError) {
        let file = try SafetensorsFile(path)
        guard let trunk = PerceptualTrunk.allCases.first(where: { file.holds($0) }) else {
            let known = PerceptualTrunk.allCases.map(\.title).joined(separator: ", ")
            throw FileError(path: path, reason: "\(path) holds no perceptual network that is known: \(known), by the names of their packages")
        }
        try self.init(trunk, file)
    }

    private init(_ trunk: PerceptualTrunk, _ file: SafetensorsFile) throws(FileError) {
        var (layers, places): ([PerceptualLayer], [(Int, [Float])]) = ([], [])
        var (convolutions, channels) = (trunk.convolutions[...], 3)
        for step in trunk.steps {
            channels = step.channels ?? channels
            switch step {
            case .convolution(_, _, let padding, let stride):
                let (weight, bias) = try file.tensors(of: convolutions.removeFirst())
                layers.append(.convolution(FrozenConvolution(weight: weight, bias: bias, padding: padding, stride: stride)))
            case .blurredConvolution(_, _, let padding):
                let (weight, bias) = try file.tensors(of: convolutions.removeFirst())
                layers.append(.blurredConvolution(BlurredConvolution(weight: weight, bias: bias, padding: padding)))
            case .fire:
                let squeezing = try file.tensors(of: convolutions.removeFirst())
                let (one, nine) = (try file.tensors(of: convolutions.removeFirst()), try file.tensors(of: convolutions.removeFirst()))
                layers.append(.convolution(FrozenConvolution(weight: squeezing.weight, bias: squeezing.bias, padding: 0, stride: 1)))
                layers += [.rectification, .convolution(.joining(one, nine)), .rectification]
            case .rectification: layers.append(.rectification)
            case .pooling(let size, let stride, let keepsRest):
                layers.append(.pooling(MaximumPooling(size: size, stride: stride, keepsRest: keepsRest)))
            case .blur: layers.append(.blur)
            case .listening:
                places.append((layers.count, try file.tensor("lin\(places.count).model.1.weight", shape: [1, channels, 1, 1]).values))
            }
        }
        (self.trunk, self.layers, self.places) = (trunk, layers, places)
    }

    /// - Parameters:
    ///   - y: pictures in −1 … 1, `[n, h, w, 3]`, at least ``PerceptualTrunk/smallestSide`` pixels wide.
    ///   - target: of the same shape.
    /// - Returns: the distance of each picture to its target.
    package func distances(_ y: Tensor, _ target: Tensor) -> [Double] {
        var distances = [Double](repeating: 0, count: y.n)
        let others = features(of: target)
        for (index, features) in features(of: y).enumerated() {
            for (image, distance) in FeatureDifference(weights: places[index].weights).distances(features, others[index]).enumerated() {
                distances[image] += distance
            }
        }
        return distances
    }

    /// Between two pictures of one size.
    package func distance(_ a: RGBImage, _ b: RGBImage) -> Double {
        distances(PixelBatch(images: [a]).pixels, PixelBatch(images: [b]).pixels)[0]
    }

    /// The mean over the pictures, and its gradient for `y`.
    package func loss(_ y: Tensor, _ target: Tensor) -> (value: Double, gradient: Tensor) {
        precondition(y.shape == target.shape, "\(y.shape) is compared with \(target.shape)")
        let others = features(of: target)
        let outputs = outputs(of: y)
        var value = 0.0
        var gradient: Tensor?
        for index in places.indices.reversed() {
            let (end, weights) = places[index]
            let (distance, dfeatures) = FeatureDifference(weights: weights).loss(outputs[end], others[index])
            value += distance
            gradient = Tensor.sum(gradient, dfeatures)
            let start = index > 0 ? places[index - 1].layers : 0
            for layer in (start..<end).reversed() {
                gradient = layers[layer].backward(gradient!, x: outputs[layer], y: outputs[layer + 1])
            }
        }
        let scale = Self.deviation.map { 1 / $0 }
        return (value, gradient!.scalingChannels(by: scale, shiftedBy: [0, 0, 0], adding: nil))
    }

    /// Where the trunk is listened to.
    private func features(of pixels: Tensor) -> [Tensor] {
        var (hidden, next) = (normalized(pixels), 0)
        return places.map { place in
            while next < place.layers {
                hidden = layers[next].forward(hidden)
                next += 1
            }
            return hidden
        }
    }

    /// Of every layer, the normalised input first.
    private func outputs(of pixels: Tensor) -> [Tensor] {
        var outputs = [normalized(pixels)]
        for layer in layers.prefix(places.last!.layers) { outputs.append(layer.forward(outputs.last!)) }
        return outputs
    }

    private func normalized(_ pixels: Tensor) -> Tensor {
        let scale = Self.deviation.map { 1 / $0 }
        return pixels.scalingChannels(by: scale, shiftedBy: zip(Self.mean, scale).map { -$0 * $1 }, adding: nil)
    }
}

extension SafetensorsFile {
    /// Whether all convolutions of a trunk are there, in their shapes.
    fileprivate func holds(_ trunk: PerceptualTrunk) -> Bool {
        trunk.convolutions.allSatisfy { convolution in (try? entry("\(convolution.name).weight"))?.shape == convolution.shape }
    }

    fileprivate func tensors(of convolution: PerceptualTrunk.Convolution) throws(FileError) -> (weight: Tensor, bias: Tensor) {
        (
            try tensor("\(convolution.name).weight", shape: convolution.shape),
            try tensor("\(convolution.name).bias", shape: [convolution.shape[0]])
        )
    }
}
