import Compute

/// Latents → pixels.
///
/// Source: diffusers `Decoder`, and the `post_quant_conv` before it.
struct LatentDiffusionDecoder: Layer {
    var projection: Conv2d?
    var convIn: Conv2d
    var middle: LatentDiffusionMiddle
    /// Coarsest stage first, as files name them.
    var stages: [LatentDiffusionStage<Upsampling>]
    var norm: GroupNorm
    var convOut: Conv2d
    private let activation: Activation

    init(_ architecture: LatentDiffusionArchitecture, _ initializer: inout Initializer) {
        projection =
            architecture.hasProjectionBack ? Conv2d(architecture.latentChannels, architecture.drawnChannels, kernel: 1, &initializer) : nil
        convIn = Conv2d(architecture.drawnChannels, architecture.last, &initializer)
        middle = LatentDiffusionMiddle(architecture, &initializer)
        stages = []
        let channels = Array(architecture.channels.reversed())
        for (i, c) in channels.enumerated() {
            let isLast = i + 1 == channels.count
            stages.append(
                LatentDiffusionStage(
                    channels[max(0, i - 1)], c, layers: architecture.layers + 1, architecture, &initializer,
                    stepName: "upsamplers", step: { isLast ? nil : Upsampling(c, c, kind: .interpolate, hasShortcut: false, &$0) }))
        }
        norm = GroupNorm(channels: architecture.first, groups: architecture.groups, &initializer)
        convOut = Conv2d(architecture.first, 3, &initializer)
        activation = architecture.activation
    }

    /// - Parameter z: `[n, h, w, latentChannels]`.
    /// - Returns: `[n, h·factor, w·factor, 3]`, about −1 … 1.
    func forward(_ z: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = z
        if let projection { hidden = projection.forward(hidden, keeping: &kept) }
        hidden = middle.forward(convIn.forward(hidden, keeping: &kept), keeping: &kept)
        for stage in stages { hidden = stage.forward(hidden, keeping: &kept) }
        return convOut.forward(norm.forward(hidden, activation: activation, keeping: &kept), keeping: &kept)
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout LatentDiffusionDecoder) -> Tensor {
        var dx = activation.backward(convOut.backward(dy, from: &kept, into: &gradient.convOut), from: &kept)
        dx = norm.backward(dx, from: &kept, into: &gradient.norm)
        for i in stages.indices.reversed() { dx = stages[i].backward(dx, from: &kept, into: &gradient.stages[i]) }
        dx = convIn.backward(middle.backward(dx, from: &kept, into: &gradient.middle), from: &kept, into: &gradient.convIn)
        if let projection { dx = projection.backward(dx, from: &kept, into: &gradient.projection!) }
        return dx
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        projection?.visit(path.beside("post_quant_conv"), visitor)
        convIn.visit(path / "conv_in", visitor)
        middle.visit(path / "mid_block", visitor)
        for i in stages.indices { stages[i].visit(path / "up_blocks" / i, visitor) }
        norm.visit(path / "conv_norm_out", visitor)
        convOut.visit(path / "conv_out", visitor)
    }
}
