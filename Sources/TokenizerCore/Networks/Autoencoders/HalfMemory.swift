/// The numbers that one half of an autoencoder holds, counted by walking through its stages as a forward pass does.
struct HalfMemory {
    /// Winograd's transformed kernels have 36 numbers for each pair of channels.
    private static let numbersPerKernel = 36.0

    private(set) var weights = 0.0
    /// Alive together, for each pixel of the image.
    private(set) var floatsPerPixel = 0.0
    /// Kept for a backward pass, for each pixel of the image.
    private(set) var keptFloatsPerPixel = 0.0

    static func encoder(_ configuration: AutoencoderConfiguration) -> HalfMemory {
        HalfMemory(configuration.encoder, configuration)
    }

    static func decoder(_ configuration: AutoencoderConfiguration) -> HalfMemory {
        var memory = HalfMemory(configuration.decoder, configuration)
        if let refiner = configuration.refiner { memory.count(refiner, image: Double(configuration.imageChannels)) }
        return memory
    }

    private init(_ half: AutoencoderConfiguration.Half, _ configuration: AutoencoderConfiguration) {
        let image = Double(configuration.imageChannels), latent = Double(configuration.latentChannels)
        if half.hasLayers { count(half, image: image, latent: latent) }
        if configuration.hasPatchSkip {
            weights += image * Double(configuration.factor * configuration.factor) * latent
            // Beside the network's first or last feature map.
            let beside = half.hasLayers ? Double(half.firstChannels) / (half.stages[0].layers > 0 ? 1 : 4) : 0
            hold(4 * image + beside, keeping: 2 * image, level: 0)
        }
    }

    private mutating func count(_ half: AutoencoderConfiguration.Half, image: Double, latent: Double) {
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

    /// Beside the picture there are a block's maps, or the tiles before and after they are put together, or both of those and a map.
    private mutating func count(_ refiner: AutoencoderConfiguration.Refiner, image: Double) {
        let (c, layers) = (Double(refiner.channels), Double(refiner.layers))
        let perTile = Double(refiner.factor * refiner.factor)
        weights += Self.numbersPerKernel * (2 * c * image * perTile + layers * 2 * c * c)
        hold(
            image + max(3 * c / perTile, c / perTile + 2 * image),
            keeping: image + (4 * layers + 1) * c / perTile, level: 0)
    }

    /// Counts numbers at each position of a level, which has a quarter of the positions of the finer one.
    private mutating func hold(_ floats: Double, keeping kept: Double, level: Int) {
        let positionsPerPixel = 1 / Double(1 << (2 * level))
        floatsPerPixel = max(floatsPerPixel, floats * positionsPerPixel)
        keptFloatsPerPixel += kept * positionsPerPixel
    }

    /// Feature maps of a block alive together, in multiples of its channels.
    private static func width(of stage: AutoencoderConfiguration.Half.Stage) -> Double {
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
    private static func kept(of stage: AutoencoderConfiguration.Half.Stage) -> Double {
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

    private static func weights(of stage: AutoencoderConfiguration.Half.Stage) -> Double {
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
