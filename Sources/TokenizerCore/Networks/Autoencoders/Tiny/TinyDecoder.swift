import Compute

/// Latents → pixels by plain convolutions, at doubled resolutions.
///
/// Source: diffusers `DecoderTiny`.
struct TinyDecoder: Layer {
    var convIn: Conv2d
    /// Coarsest stage first.
    var stages: [[TinyBlock]]
    /// Behind each stage but the last, to twice the resolution.
    var steps: [Conv2d]
    var convOut: Conv2d
    private let activation: Activation

    init(_ configuration: TinyConfiguration, _ initializer: inout Initializer) {
        let half = configuration.decoder
        activation = configuration.activation
        convIn = Conv2d(configuration.latentChannels, half.channels[0], &initializer)
        (stages, steps) = ([], [])
        for i in half.blocks.indices {
            if i > 0 { steps.append(Conv2d(half.channels[i - 1], half.channels[i], hasBias: false, &initializer)) }
            stages.append(half.stage(i, activation, hasPools: configuration.hasPools && i == 0, &initializer))
        }
        convOut = Conv2d(half.channels[half.channels.count - 1], configuration.imageChannels, &initializer)
    }

    /// - Parameter z: `[n, h, w, latentChannels]`.
    /// - Returns: `[n, h·factor, w·factor, 3]`, about −1 … 1.
    func forward(_ z: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        kept.keep(z)
        var hidden = convIn.forward(SoftClamp.forward(z), activation: activation, keeping: &kept)
        for (i, stage) in stages.enumerated() {
            if i > 0 { hidden = steps[i - 1].forwardEnlarging(hidden, keeping: &kept) }
            for block in stage { hidden = block.forward(hidden, keeping: &kept) }
        }
        var y = convOut.forward(hidden, keeping: &kept)
        // The network draws pixels in 0 … 1.
        y.scale(by: 2, plus: -1)
        return y
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout TinyDecoder) -> Tensor {
        dy.multiply(by: 2)
        var dx = convOut.backward(dy, from: &kept, into: &gradient.convOut)
        for i in stages.indices.reversed() {
            for j in stages[i].indices.reversed() { dx = stages[i][j].backward(dx, from: &kept, into: &gradient.stages[i][j]) }
            if i > 0 { dx = NearestUpsampling.backward(steps[i - 1].backward(dx, from: &kept, into: &gradient.steps[i - 1])) }
        }
        dx = convIn.backward(activation.backward(dx, from: &kept), from: &kept, into: &gradient.convIn)
        return SoftClamp.backward(dx, at: kept.take())
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        var names = LayerNames(path)
        convIn.visit(names.next(), visitor)
        // The activation.
        names.skip()
        for i in stages.indices {
            if i > 0 {
                // The enlargement.
                names.skip()
                steps[i - 1].visit(names.next(), visitor)
            }
            for j in stages[i].indices { stages[i][j].visit(names.next(), visitor) }
        }
        convOut.visit(names.next(), visitor)
    }
}
