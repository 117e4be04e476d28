import Compute

/// Latents → pixels, through stages of growing resolution.
///
/// Source: diffusers `AutoencoderDC`'s `Decoder`.
struct DCAEDecoder: Layer {
    var convIn: Conv2d
    /// Finest stage first, as files name them; run last to first. Each begins with the step up from the next coarser one.
    var stages: [[Block]]
    var norm: RMSNorm
    var convOut: PixelConvolution
    private let activation: Activation
    /// How often each latent channel is repeated beside `conv_in`; nil without shortcut.
    private let shortcutRepeats: Int?

    init(_ configuration: DCAEConfiguration, _ initializer: inout Initializer) {
        let half = configuration.decoder
        convIn = Conv2d(configuration.latentChannels, half.lastChannels, &initializer)
        stages = []
        for (i, stage) in half.stages.enumerated() {
            var blocks: [Block] = []
            if i + 1 < half.stages.count && stage.layers > 0 {
                let coarser = half.stages[i + 1].channels
                blocks.append(.up(Upsampling(coarser, stage.channels, kind: configuration.upsampling, hasShortcut: true, &initializer)))
            }
            stages.append(blocks + Block.repeated(stage, headDimension: configuration.headDimension, &initializer))
        }
        norm = RMSNorm(channels: half.firstChannels, &initializer)
        activation = configuration.finalActivation
        convOut =
            half.stages[0].layers > 0
            ? .plain(Conv2d(half.firstChannels, configuration.imageChannels, &initializer))
            : .resampling(
                .up(Upsampling(half.firstChannels, configuration.imageChannels, kind: configuration.upsampling, hasShortcut: false, &initializer)))
        shortcutRepeats = configuration.hasDecoderShortcut ? half.lastChannels / configuration.latentChannels : nil
    }

    /// - Parameter z: `[n, h, w, latentChannels]`.
    /// - Returns: `[n, h·factor, w·factor, 3]`, about −1 … 1.
    func forward(_ z: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = convIn.forward(copy z, keeping: &kept)
        if let shortcutRepeats { hidden.add(ChannelGroups.repeat(z, count: shortcutRepeats)) }
        for stage in stages.reversed() {
            for block in stage { hidden = block.forward(hidden, keeping: &kept) }
        }
        hidden = norm.forward(hidden, activation: activation, keeping: &kept)
        return convOut.forward(hidden, keeping: &kept)
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout DCAEDecoder) -> Tensor {
        var dx = activation.backward(convOut.backward(dy, from: &kept, into: &gradient.convOut), from: &kept)
        dx = norm.backward(dx, from: &kept, into: &gradient.norm)
        for i in stages.indices {
            for j in stages[i].indices.reversed() { dx = stages[i][j].backward(dx, from: &kept, into: &gradient.stages[i][j]) }
        }
        let dshortcut = shortcutRepeats.map { ChannelGroups.repeatBackward(dx, count: $0) }
        dx = convIn.backward(dx, from: &kept, into: &gradient.convIn)
        if let dshortcut { dx.add(dshortcut) }
        return dx
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        convIn.visit(path / "conv_in", visitor)
        for i in stages.indices {
            for j in stages[i].indices { stages[i][j].visit(path / "up_blocks" / i / j, visitor) }
        }
        norm.visit(path / "norm_out", visitor)
        convOut.visit(path / "conv_out", visitor)
    }
}
