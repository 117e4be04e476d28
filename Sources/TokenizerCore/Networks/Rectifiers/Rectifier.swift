import Compute

/// Moves quantised latents back towards the ones the VAE made.
package struct Rectifier: Layer {
    package let configuration: RectifierConfiguration
    /// Nil where the quantised latents stay as they are.
    private var network: AnyLayer?

    /// - Precondition: `configuration` is valid for `shape`.
    package init(_ configuration: RectifierConfiguration, shape: LatentShape, _ initializer: Initializer) {
        var initializer = initializer
        self.init(configuration, network: Self.network(configuration, shape, &initializer))
    }

    /// Latents stay as they are.
    package static let none = Rectifier(.none, network: nil)

    /// - Precondition: `network` is what `configuration` describes.
    package init(_ configuration: RectifierConfiguration, network: (any Layer)?) {
        self.configuration = configuration
        self.network = network.map { AnyLayer($0) }
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
            if configuration.isResidual { vit.convOut.zero() }
            return vit
        case .mlp(let width, let depth):
            var mlp = MLPRectifier(shape: shape, width: width, depth: depth, &initializer)
            if configuration.isResidual { mlp.convOut.zero() }
            return mlp
        case .cnn(let width, let depth, let rank):
            var cnn = CNNRectifier(channels: shape.channels, width: width, depth: depth, rank: rank, &initializer)
            if configuration.isResidual { cnn.convOut.zero() }
            return cnn
        case .linear(let reach):
            var linear = LinearRectifier(reach, shape: shape, &initializer)
            if configuration.isResidual { linear.map.zero() }
            return linear
        }
    }

    /// - Parameter q: quantised.
    package func callAsFunction(_ q: consuming Latents) -> Latents {
        Latents(self(q.map))
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
        var dq = network.backward(copy dy, from: &kept, into: &gradient.network!)
        if configuration.isResidual { dq.add(dy) }
        return dq
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        network?.visit(path, visitor)
    }
}
