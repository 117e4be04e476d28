import Compute

/// Pixels → latents: a network, a linear patch code, or the sum of both.
package struct AutoencoderEncoder: Layer {
    /// Nil where the patch code stands alone.
    var network: EncoderNetwork?
    var skip: PatchProjection?

    init(_ configuration: AutoencoderConfiguration, _ initializer: inout Initializer) {
        if configuration.encoder.hasLayers { network = EncoderNetwork(configuration, &initializer) }
        if configuration.hasPatchSkip { skip = PatchProjection(.analysis, configuration, &initializer) }
    }

    /// - Parameter x: `[n, h, w, 3]` in −1 … 1; the factor divides h and w.
    /// - Returns: `[n, h/factor, w/factor, latentChannels]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let z = network?.forward(copy x, keeping: &kept)
        return .sum(z, skip?.forward(x, keeping: &kept))
    }

    package func backward(_ dz: consuming Tensor, from kept: inout Tape, into gradient: inout AutoencoderEncoder) -> Tensor {
        let dskip = skip?.backward(copy dz, from: &kept, into: &gradient.skip!)
        return .sum(network?.backward(dz, from: &kept, into: &gradient.network!), dskip)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        network?.visit(path, visitor)
        skip?.visit(path / "patch_skip", visitor)
    }
}
