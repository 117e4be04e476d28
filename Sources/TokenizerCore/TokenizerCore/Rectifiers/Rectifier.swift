/// Moves quantised latents back towards the ones the VAE made.
public struct Rectifier: Layer {
    private enum Network: Sendable {
        case identity
        case vit(ViTRectifier)
        case mlp(MLPRectifier)
    }

    public let configuration: RectifierConfiguration
    private var network: Network

    /// - Precondition: `configuration` is valid for `shape`.
    public init(_ configuration: RectifierConfiguration, shape: LatentShape, _ initializer: Initializer) {
        var initializer = initializer
        self.configuration = configuration
        switch configuration.network {
        case .identity: network = .identity
        case .vit(let width, let depth, let headDimension, let scales):
            var vit = ViTRectifier(
                channels: shape.channels, width: width, depth: depth, headDimension: headDimension, scales: scales, &initializer)
            if configuration.isResidual { vit.tail.zero() }
            network = .vit(vit)
        case .mlp(let width, let depth):
            var mlp = MLPRectifier(shape: shape, width: width, depth: depth, &initializer)
            if configuration.isResidual { mlp.tail.zero() }
            network = .mlp(mlp)
        }
    }

    /// - Parameter q: quantised latents, `[n, h, w, c]`.
    public func forward(_ q: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        var y: Tensor
        switch network {
        case .identity: return q
        case .vit(let vit): y = vit.forward(copy q, keeping: &kept)
        case .mlp(let mlp): y = mlp.forward(copy q, keeping: &kept)
        }
        if configuration.isResidual { y.add(q) }
        return y
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout Rectifier) -> Tensor {
        var dq: Tensor
        switch (network, gradient.network) {
        case (.vit(let vit), .vit(var part)):
            gradient.network = .identity
            dq = vit.backward(copy dy, from: &kept, into: &part)
            gradient.network = .vit(part)
        case (.mlp(let mlp), .mlp(var part)):
            gradient.network = .identity
            dq = mlp.backward(copy dy, from: &kept, into: &part)
            gradient.network = .mlp(part)
        case (.identity, .identity): return dy
        default: preconditionFailure("a gradient has the kind of its layer")
        }
        if configuration.isResidual { dq.add(dy) }
        return dq
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        // The payload is moved out while it is visited, so that its tensors stay uniquely held and change in place.
        let taken = network
        network = .identity
        switch consume taken {
        case .identity: break
        case .vit(var vit):
            vit.visit(path, visitor)
            network = .vit(vit)
        case .mlp(var mlp):
            mlp.visit(path, visitor)
            network = .mlp(mlp)
        }
    }
}
