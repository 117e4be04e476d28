import Compute

/// Pixels → latents.
///
/// Source: diffusers `Encoder`, and the `quant_conv` behind it.
struct LatentDiffusionEncoder: Layer {
    var convIn: Conv2d
    /// Finest stage first.
    var stages: [LatentDiffusionStage<PaddedDownsampling>]
    var middle: LatentDiffusionMiddle
    var norm: GroupNorm
    var convOut: Conv2d
    var projection: Conv2d?
    private let activation: Activation
    private let latentChannels: Int

    init(_ architecture: LatentDiffusionArchitecture, _ initializer: inout Initializer) {
        convIn = Conv2d(3, architecture.first, &initializer)
        stages = []
        for (i, c) in architecture.channels.enumerated() {
            let isLast = i + 1 == architecture.channels.count
            stages.append(
                LatentDiffusionStage(
                    architecture.channels[max(0, i - 1)], c, layers: architecture.layers, architecture, &initializer,
                    stepName: "downsamplers", step: { isLast ? nil : PaddedDownsampling(c, &$0) }))
        }
        middle = LatentDiffusionMiddle(architecture, &initializer)
        norm = GroupNorm(channels: architecture.last, groups: architecture.groups, &initializer)
        convOut = Conv2d(architecture.last, architecture.encodedChannels, &initializer)
        projection = architecture.projectedChannels.map { Conv2d(architecture.encodedChannels, $0, kernel: 1, &initializer) }
        (activation, latentChannels) = (architecture.activation, architecture.latentChannels)
    }

    /// - Parameter x: `[n, h, w, 3]` in −1 … 1; the factor divides h and w.
    /// - Returns: `[n, h/factor, w/factor, latentChannels]`.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = convIn.forward(x, keeping: &kept)
        for stage in stages { hidden = stage.forward(hidden, keeping: &kept) }
        hidden = norm.forward(middle.forward(hidden, keeping: &kept), activation: activation, keeping: &kept)
        hidden = convOut.forward(hidden, keeping: &kept)
        if let projection { hidden = projection.forward(hidden, keeping: &kept) }
        return hidden.c == latentChannels ? hidden : hidden.leadingChannels(latentChannels)
    }

    func backward(_ dz: consuming Tensor, from kept: inout Tape, into gradient: inout LatentDiffusionEncoder) -> Tensor {
        var dx = dz.followedByZeros(to: (projection ?? convOut).outputChannels)
        if let projection { dx = projection.backward(dx, from: &kept, into: &gradient.projection!) }
        dx = activation.backward(convOut.backward(dx, from: &kept, into: &gradient.convOut), from: &kept)
        dx = middle.backward(norm.backward(dx, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.middle)
        for i in stages.indices.reversed() { dx = stages[i].backward(dx, from: &kept, into: &gradient.stages[i]) }
        return convIn.backward(dx, from: &kept, into: &gradient.convIn)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        convIn.visit(path / "conv_in", visitor)
        for i in stages.indices { stages[i].visit(path / "down_blocks" / i, visitor) }
        middle.visit(path / "mid_block", visitor)
        norm.visit(path / "conv_norm_out", visitor)
        convOut.visit(path / "conv_out", visitor)
        projection?.visit(path.beside("quant_conv"), visitor)
    }
}
