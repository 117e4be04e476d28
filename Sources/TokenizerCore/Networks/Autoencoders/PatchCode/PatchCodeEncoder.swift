import Compute

/// Pixels → latents: a linear patch code, or its sum with a network.
struct PatchCodeEncoder: Layer {
    /// Nil where the patch code stands alone.
    var network: DCAEEncoder?
    var code: PatchProjection

    init(_ configuration: PatchCodeConfiguration, _ initializer: inout Initializer) {
        if configuration.network.encoder.hasLayers {
            var network = DCAEEncoder(configuration.network, &initializer)
            // It starts by adding nothing.
            network.convOut.zero()
            self.network = network
        }
        code = PatchProjection(.analysis, configuration, &initializer)
    }

    /// - Parameter x: `[n, h, w, 3]` in −1 … 1; the factor divides h and w.
    /// - Returns: `[n, h/factor, w/factor, latentChannels]`.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let z = network?.forward(copy x, keeping: &kept)
        return .sum(z, code.forward(x, keeping: &kept))
    }

    func backward(_ dz: consuming Tensor, from kept: inout Tape, into gradient: inout PatchCodeEncoder) -> Tensor {
        let dcode = code.backward(copy dz, from: &kept, into: &gradient.code)
        return .sum(network?.backward(dz, from: &kept, into: &gradient.network!), dcode)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        network?.visit(path, visitor)
        code.visit(path / "patch_skip", visitor)
    }
}
