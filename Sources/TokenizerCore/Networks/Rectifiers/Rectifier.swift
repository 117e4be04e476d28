import Compute

/// Moves quantised latents back towards the ones the VAE made.
package struct Rectifier: Layer {
    package let configuration: RectifierConfiguration
    /// Nil where the quantised latents stay as they are.
    private var network: (any Layer)?

    /// - Precondition: `configuration` is valid for `shape`.
    package init(_ configuration: RectifierConfiguration, shape: LatentShape, _ initializer: Initializer) {
        var initializer = initializer
        self.init(configuration, network: Self.network(configuration, shape, &initializer))
    }

    /// - Precondition: `network` is what `configuration` describes.
    package init(_ configuration: RectifierConfiguration, network: (any Layer)?) {
        (self.configuration, self.network) = (configuration, network)
    }

    /// A correction that is added starts at zero.
    private static func network(
        _ configuration: RectifierConfiguration, _ shape: LatentShape, _ initializer: inout Initializer
    ) -> (any Layer)? {
        switch configuration.network {
        case .identity: return nil
        case .vit(let width, let depth, let headDimension, let scales):
            var vit = ViTRectifier(
                channels: shape.channels, width: width, depth: depth, headDimension: headDimension, scales: scales, &initializer)
            if configuration.isResidual { vit.tail.zero() }
            return vit
        case .mlp(let width, let depth):
            var mlp = MLPRectifier(shape: shape, width: width, depth: depth, &initializer)
            if configuration.isResidual { mlp.tail.zero() }
            return mlp
        case .cnn(let width, let depth, let rank):
            var cnn = CNNRectifier(channels: shape.channels, width: width, depth: depth, rank: rank, &initializer)
            if configuration.isResidual { cnn.tail.zero() }
            return cnn
        case .linear(let reach):
            var linear = LinearRectifier(reach, shape: shape, &initializer)
            if configuration.isResidual { linear.map.zero() }
            return linear
        }
    }

    /// - Parameter q: quantised latents, `[n, h, w, c]`.
    package func forward(_ q: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        guard let network else { return q }
        var y = network.forward(copy q, keeping: &kept)
        if configuration.isResidual { y.add(q) }
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Rectifier) -> Tensor {
        guard let network else { return dy }
        var dq = Self.backward(through: network, copy dy, from: &kept, into: &gradient)
        if configuration.isResidual { dq.add(dy) }
        return dq
    }

    private static func backward<Network: Layer>(
        through network: Network, _ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Rectifier
    ) -> Tensor {
        guard var part = gradient.network as? Network else { preconditionFailure("a gradient has the kind of its layer") }
        // Taken out meanwhile, so that its tensors stay uniquely held and are added to in place.
        gradient.network = nil
        let dq = network.backward(dy, from: &kept, into: &part)
        gradient.network = part
        return dq
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        // Taken out for the same reason.
        guard var taken = network else { return }
        network = nil
        taken.visit(path, visitor)
        network = taken
    }
}
