import Compute

/// Latents → pixels, through stages of growing resolution.
///
/// Source: diffusers `AutoencoderDC`'s `Decoder`.
struct DecoderNetwork: Layer {
    var head: Conv2d
    /// Finest stage first, as files name them; run last to first. Each begins with the step up from the next coarser one.
    var stages: [[Block]]
    var norm: RMSNorm
    var stem: Stem
    private let activation: Activation
    /// How often each latent channel is repeated beside the head; nil without shortcut.
    private let shortcutRepeats: Int?

    init(_ configuration: AutoencoderConfiguration, _ initializer: inout Initializer) {
        let half = configuration.decoder
        head = Conv2d(configuration.latentChannels, half.lastChannels, &initializer)
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
        stem =
            half.stages[0].layers > 0
            ? .plain(Conv2d(half.firstChannels, configuration.imageChannels, &initializer))
            : .resampling(
                .up(Upsampling(half.firstChannels, configuration.imageChannels, kind: configuration.upsampling, hasShortcut: false, &initializer)))
        shortcutRepeats = configuration.hasDecoderShortcut ? half.lastChannels / configuration.latentChannels : nil
        // Beside a patch code the network starts by adding nothing.
        if configuration.hasPatchSkip { stem.zero() }
    }

    /// - Parameter z: `[n, h, w, latentChannels]`.
    /// - Returns: `[n, h·factor, w·factor, 3]`, about −1 … 1.
    func forward(_ z: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = head.forward(copy z, keeping: &kept)
        if let shortcutRepeats { hidden.add(ChannelGroups.repeat(z, count: shortcutRepeats)) }
        for stage in stages.reversed() {
            for block in stage { hidden = block.forward(hidden, keeping: &kept) }
        }
        hidden = norm.forward(hidden, activation: activation, keeping: &kept)
        return stem.forward(hidden, keeping: &kept)
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout DecoderNetwork) -> Tensor {
        var dx = activation.backward(stem.backward(dy, from: &kept, into: &gradient.stem), from: &kept)
        dx = norm.backward(dx, from: &kept, into: &gradient.norm)
        for i in stages.indices {
            for j in stages[i].indices.reversed() { dx = stages[i][j].backward(dx, from: &kept, into: &gradient.stages[i][j]) }
        }
        let dshortcut = shortcutRepeats.map { ChannelGroups.repeatBackward(dx, count: $0) }
        dx = head.backward(dx, from: &kept, into: &gradient.head)
        if let dshortcut { dx.add(dshortcut) }
        return dx
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        head.visit(path / "conv_in", visitor)
        for i in stages.indices {
            for j in stages[i].indices { stages[i][j].visit(path / "up_blocks" / i / j, visitor) }
        }
        norm.visit(path / "norm_out", visitor)
        stem.visit(path / "conv_out", visitor)
    }
}
