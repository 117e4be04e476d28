import Compute

/// Latents → pixels: a network, a linear patch code, or the sum of both; and where there is one, a refiner of what they draw.
package struct AutoencoderDecoder: Layer {
    /// Nil where the patch code stands alone.
    var network: DecoderNetwork?
    var skip: PatchProjection?
    var refiner: PictureRefiner?

    init(_ configuration: AutoencoderConfiguration, _ initializer: inout Initializer) {
        if configuration.decoder.hasLayers { network = DecoderNetwork(configuration, &initializer) }
        if configuration.hasPatchSkip { skip = PatchProjection(.synthesis, configuration, &initializer) }
        refiner = configuration.refiner.map { PictureRefiner($0, imageChannels: configuration.imageChannels, &initializer) }
    }

    /// - Parameter z: `[n, h, w, latentChannels]`.
    /// - Returns: `[n, h·factor, w·factor, 3]`, about −1 … 1.
    package func forward(_ z: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let drawn = network?.forward(copy z, keeping: &kept)
        let picture = Tensor.sum(drawn, skip?.forward(z, keeping: &kept))
        guard let refiner else { return picture }
        return refiner.forward(picture, keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout AutoencoderDecoder) -> Tensor {
        if let refiner { dy = refiner.backward(dy, from: &kept, into: &gradient.refiner!) }
        let dskip = skip?.backward(copy dy, from: &kept, into: &gradient.skip!)
        return .sum(network?.backward(dy, from: &kept, into: &gradient.network!), dskip)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        network?.visit(path, visitor)
        skip?.visit(path / "patch_skip", visitor)
        refiner?.visit(path / "refiner", visitor)
    }
}
