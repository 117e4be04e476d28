import Compute
import Networks
import TokenizerCore

/// What a rectifier is trained to make small.
package enum RectifierLoss: Sendable {
    /// The squared difference from the latents that were quantised, normalised.
    case latents
    /// The difference between what a frozen decoder draws of its answer and of those latents.
    case pictures(DrawnDifference)

    var isOfLatents: Bool {
        if case .latents = self { true } else { false }
    }

    /// - Parameters:
    ///   - y: the rectifier's answers, `[n, h, w, c]`.
    ///   - z: the latents that were quantised, of the same shape.
    /// - Returns: the mean over images, and its gradient for `y`.
    func callAsFunction(_ y: Tensor, _ z: Tensor) -> (value: Double, gradient: Tensor) {
        switch self {
        case .latents: SquaredError.loss(y, z)
        case .pictures(let difference): difference(y, z)
        }
    }
}

/// How differently a frozen decoder draws two latents: errors that it does not show cost nothing, and those that it enlarges cost more.
package struct DrawnDifference: Sendable {
    private let decoder: AnyLayer
    private let normalizer: LatentNormalizer
    private let loss: PictureLoss

    package init(_ decoder: AnyLayer, _ normalizer: LatentNormalizer, _ loss: PictureLoss) {
        (self.decoder, self.normalizer, self.loss) = (decoder, normalizer, loss)
    }

    /// Image after image, each on one thread: memory holds the activations of as many as there are threads.
    /// - Parameters:
    ///   - y: normalised, `[n, h, w, c]`.
    ///   - z: what `y` should have been, of the same shape.
    /// - Returns: the mean over images, and its gradient for `y`.
    func callAsFunction(_ y: Tensor, _ z: Tensor) -> (value: Double, gradient: Tensor) {
        let (images, width) = (y.n, y.count / y.n)
        var values = [Double](repeating: 0, count: images)
        var gradient = Tensor(uninitialized: y.shape)
        values.withUnsafeMutableBufferPointer { values in
            let values = values.baseAddress!
            gradient.withMutablePointer { gradient in
                Workers.forEach(images) { image in
                    let found = difference(y.images(image..<image + 1), z.images(image..<image + 1))
                    values[image] = found.value
                    found.gradient.withPointer { (gradient + image * width).update(from: $0, count: width) }
                }
            }
        }
        gradient.multiply(by: 1 / Float(images))
        return (values.reduce(0, +) / Double(images), gradient)
    }

    private func difference(_ y: Tensor, _ z: Tensor) -> (value: Double, gradient: Tensor) {
        var drawn = Tape.keeping
        let picture = decoder.forward(normalizer.restore(Latents(y)).map, keeping: &drawn)
        let value = loss(picture, decoder(normalizer.restore(Latents(z)).map))
        // The decoder is frozen: what is found for its own weights is thrown away.
        var unused = decoder.zeroed()
        let drestored = decoder.backward(value.gradient, from: &drawn, into: &unused)
        return (value.total, normalizer.gradient(ofRestoring: Latents(drestored)).map)
    }
}
