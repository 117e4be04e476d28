import Compute

/// Pixels → latents, through stages of falling resolution.
///
/// Source: diffusers `AutoencoderDC`'s `Encoder`.
struct DCAEEncoder: Layer {
    var convIn: PixelConvolution
    /// Finest stage first; each ends with the step down to the next.
    var stages: [[Block]]
    var convOut: Conv2d
    /// Consecutive channels averaged into one latent channel beside `conv_out`; nil without shortcut.
    private let shortcutGroup: Int?

    init(_ configuration: DCAEConfiguration, _ initializer: inout Initializer) {
        let half = configuration.encoder
        convIn =
            half.stages[0].layers > 0
            ? .plain(Conv2d(configuration.imageChannels, half.firstChannels, &initializer))
            : .resampling(
                .down(
                    Downsampling(
                        configuration.imageChannels, half.firstChannels, kind: configuration.downsampling, hasShortcut: false, &initializer)))
        stages = []
        for (i, stage) in half.stages.enumerated() {
            var blocks = Block.repeated(stage, headDimension: configuration.headDimension, &initializer)
            if i + 1 < half.stages.count && stage.layers > 0 {
                let next = half.stages[i + 1].channels
                blocks.append(.down(Downsampling(stage.channels, next, kind: configuration.downsampling, hasShortcut: true, &initializer)))
            }
            stages.append(blocks)
        }
        convOut = Conv2d(half.lastChannels, configuration.latentChannels, &initializer)
        shortcutGroup = configuration.hasEncoderShortcut ? half.lastChannels / configuration.latentChannels : nil
    }

    /// - Parameter x: `[n, h, w, 3]` in −1 … 1; the factor divides h and w.
    /// - Returns: `[n, h/factor, w/factor, latentChannels]`.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = convIn.forward(x, keeping: &kept)
        for block in stages.joined() { hidden = block.forward(hidden, keeping: &kept) }
        var z = convOut.forward(hidden, keeping: &kept)
        if let shortcutGroup { z.add(ChannelGroups.mean(hidden, size: shortcutGroup)) }
        return z
    }

    func backward(_ dz: consuming Tensor, from kept: inout Tape, into gradient: inout DCAEEncoder) -> Tensor {
        var dx = convOut.backward(copy dz, from: &kept, into: &gradient.convOut)
        if let shortcutGroup { dx.add(ChannelGroups.meanBackward(dz, size: shortcutGroup)) }
        for i in stages.indices.reversed() {
            for j in stages[i].indices.reversed() { dx = stages[i][j].backward(dx, from: &kept, into: &gradient.stages[i][j]) }
        }
        return convIn.backward(dx, from: &kept, into: &gradient.convIn)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        convIn.visit(path / "conv_in", visitor)
        for i in stages.indices {
            for j in stages[i].indices { stages[i][j].visit(path / "down_blocks" / i / j, visitor) }
        }
        convOut.visit(path / "conv_out", visitor)
    }
}

extension Block {
    /// The repeated blocks of one stage.
    static func repeated(
        _ stage: DCAEConfiguration.Half.Stage, headDimension: Int, _ initializer: inout Initializer
    ) -> [Block] {
        var blocks: [Block] = []
        for _ in 0..<stage.layers {
            switch stage.block {
            case .residual:
                blocks.append(
                    .residual(ResBlock(channels: stage.channels, norm: stage.norm, activation: stage.activation, &initializer)))
            case .efficientViT:
                blocks.append(
                    .efficientViT(
                        EfficientViTBlock(
                            channels: stage.channels, headDimension: headDimension, scales: stage.scales, norm: stage.norm, &initializer)))
            }
        }
        return blocks
    }
}
