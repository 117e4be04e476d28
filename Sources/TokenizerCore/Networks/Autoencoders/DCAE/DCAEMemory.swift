extension DCAEConfiguration {
    package var encoderMemory: HalfMemory { memory(of: encoder) }
    package var decoderMemory: HalfMemory { memory(of: decoder) }

    private func memory(of half: Half) -> HalfMemory {
        var memory = HalfMemory()
        memory.count(half, image: Double(imageChannels), latent: Double(latentChannels))
        return memory
    }
}

extension HalfMemory {
    mutating func count(_ half: DCAEConfiguration.Half, image: Double, latent: Double) {
        for (level, stage) in half.stages.enumerated() where stage.layers > 0 {
            let (c, layers) = (Double(stage.channels), Double(stage.layers))
            weights += layers * Self.weights(of: stage)
            hold(c * Self.width(of: stage), keeping: layers * c * Self.kept(of: stage), level: level)
            if level + 1 < half.stages.count {
                let coarser = Double(half.stages[level + 1].channels)
                weights += Self.numbersPerKernel * c * max(coarser, 4 * c)
                // The step between two resolutions holds the finer map, or the coarser one enlarged, before and after shuffling.
                hold(max(2 * c + coarser / 2, c + 1.25 * coarser), keeping: 2 * c + coarser, level: level)
            }
        }
        let (first, last) = (Double(half.firstChannels), Double(half.lastChannels))
        let firstLevel = half.stages[0].layers > 0 ? 0 : 1
        weights += Self.numbersPerKernel * (last * latent + 4 * first * image)
        hold(2 * (last + latent), keeping: last + latent, level: half.stages.count - 1)
        // Pixels, which the caller may hold too, beside the first feature map; four of them make a position of a coarser one.
        let pixels = firstLevel == 0 ? 2 * image : 8 * image
        hold(2 * first + pixels, keeping: 3 * first + pixels, level: firstLevel)
    }

    /// Feature maps of a block alive together, in multiples of its channels.
    private static func width(of stage: DCAEConfiguration.Half.Stage) -> Double {
        switch stage.block {
        case .residual: return 3
        case .efficientViT:
            // The input, its projections at each scale, and what the last scale gathers or the heads' results; or the input, the
            // expanded maps and the gated ones.
            let scales = Double(stage.scales.count)
            return max(1 + 3 * (1 + scales) + max(3, 1 + scales), 1 + 8 + 4)
        }
    }

    /// Inputs of a block's layers, which their gradients need, in multiples of its channels.
    private static func kept(of stage: DCAEConfiguration.Half.Stage) -> Double {
        switch stage.block {
        // Of two convolutions, the activation and the norm.
        case .residual: return 4
        case .efficientViT:
            // Of the projections, what each scale gathers, the heads, the output and the norm; then of the feed-forward's expansion,
            // its activation, gate, contraction and norm.
            let scales = Double(stage.scales.count)
            return 1 + 3 * scales + 3 * (1 + scales) + (1 + scales) + 1 + (1 + 8 + 8 + 4 + 1)
        }
    }

    private static func weights(of stage: DCAEConfiguration.Half.Stage) -> Double {
        let c = Double(stage.channels)
        switch stage.block {
        case .residual: return 2 * numbersPerKernel * c * c
        case .efficientViT:
            // Projections, the output's part of each scale, the feed-forward; then what is depthwise or in groups.
            let inGroups = stage.scales.reduce(0.0) { $0 + 3 * (Double($1 * $1) + 1024) }
            return c * c * (3 + Double(1 + stage.scales.count) + 8 + 4) + c * (inGroups + 80)
        }
    }
}
