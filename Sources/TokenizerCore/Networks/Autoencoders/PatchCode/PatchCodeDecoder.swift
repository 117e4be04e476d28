import Compute

/// Latents → pixels: a linear patch code, or its sum with a network; and where there is one, a refiner of what they draw.
struct PatchCodeDecoder: Layer {
    /// Nil where the patch code stands alone.
    var network: DCAEDecoder?
    var code: PatchProjection
    var refiner: PictureRefiner?

    init(_ configuration: PatchCodeConfiguration, _ initializer: inout Initializer) {
        if configuration.network.decoder.hasLayers {
            var network = DCAEDecoder(configuration.network, &initializer)
            // It starts by adding nothing.
            network.convOut.zero()
            self.network = network
        }
        code = PatchProjection(.synthesis, configuration, &initializer)
        refiner = configuration.refiner.map { PictureRefiner($0, imageChannels: configuration.imageChannels, &initializer) }
    }

    /// - Parameter z: `[n, h, w, latentChannels]`.
    /// - Returns: `[n, h·factor, w·factor, 3]`, about −1 … 1.
    func forward(_ z: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let drawn = network?.forward(copy z, keeping: &kept)
        let picture = Tensor.sum(drawn, code.forward(z, keeping: &kept))
        guard let refiner else { return picture }
        return refiner.forward(picture, keeping: &kept)
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout PatchCodeDecoder) -> Tensor {
        if let refiner { dy = refiner.backward(dy, from: &kept, into: &gradient.refiner!) }
        let dcode = code.backward(copy dy, from: &kept, into: &gradient.code)
        return .sum(network?.backward(dy, from: &kept, into: &gradient.network!), dcode)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        network?.visit(path, visitor)
        code.visit(path / "patch_skip", visitor)
        refiner?.visit(path / "refiner", visitor)
    }
}
