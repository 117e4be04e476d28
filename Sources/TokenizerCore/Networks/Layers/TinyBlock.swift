import Compute

/// `relu(conv(act(conv(act(conv x)))) + x)`, all convolutions 3×3; where there is a pool, of what it makes of x.
///
/// Source: diffusers `AutoencoderTinyBlock`. Its 1×1 `skip` never is one: an `AutoencoderTiny` has as many channels behind a block as before it.
struct TinyBlock: Layer {
    var pool: TinyPool?
    var convolutions: [Conv2d]
    private let activation: Activation
    /// The positions of the convolutions among the activations, as files have them.
    private static let places = [0, 2, 4]

    init(channels: Int, activation: Activation, hasPool: Bool, _ initializer: inout Initializer) {
        convolutions = []
        for _ in Self.places { convolutions.append(Conv2d(channels, channels, &initializer)) }
        pool = hasPool ? TinyPool(channels: channels, &initializer) : nil
        self.activation = activation
    }

    /// - Parameter x: `[n, h, w, c]`.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        if ComputeContext.current.isInterrupted { return x }
        if let pool { x = pool.forward(x, keeping: &kept) }
        var hidden = convolutions[0].forward(copy x, activation: activation, keeping: &kept)
        hidden = convolutions[1].forward(hidden, activation: activation, keeping: &kept)
        hidden = convolutions[2].forward(hidden, keeping: &kept)
        guard kept.isKeeping else {
            hidden.add(x, thenApplying: .relu)
            return hidden
        }
        hidden.add(x)
        return Activation.relu.forward(hidden, keeping: &kept)
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout TinyBlock) -> Tensor {
        var dx = Activation.relu.backward(dy, from: &kept)
        var dhidden = convolutions[2].backward(copy dx, from: &kept, into: &gradient.convolutions[2])
        for i in [1, 0] {
            dhidden = convolutions[i].backward(activation.backward(dhidden, from: &kept), from: &kept, into: &gradient.convolutions[i])
        }
        dx.add(dhidden)
        guard let pool else { return dx }
        return pool.backward(dx, from: &kept, into: &gradient.pool!)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        pool?.visit(path / "pool", visitor)
        for (i, place) in Self.places.enumerated() { convolutions[i].visit(path / "conv" / place, visitor) }
    }
}
