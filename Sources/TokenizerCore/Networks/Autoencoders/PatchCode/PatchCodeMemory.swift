extension PatchCodeConfiguration {
    package var encoderMemory: HalfMemory { memory(of: network.encoder) }

    package var decoderMemory: HalfMemory {
        var memory = memory(of: network.decoder)
        if let refiner { memory.count(refiner, image: Double(imageChannels)) }
        return memory
    }

    private func memory(of half: DCAEConfiguration.Half) -> HalfMemory {
        var memory = HalfMemory()
        let image = Double(imageChannels), latent = Double(latentChannels)
        if half.hasLayers { memory.count(half, image: image, latent: latent) }
        memory.weights += image * Double(factor * factor) * latent
        // Beside the network's first or last feature map.
        let beside = half.hasLayers ? Double(half.firstChannels) / (half.stages[0].layers > 0 ? 1 : 4) : 0
        memory.hold(4 * image + beside, keeping: 2 * image, level: 0)
        return memory
    }
}

extension HalfMemory {
    /// Beside the picture there are a block's maps, or the tiles before and after they are put together, or both of those and a map.
    fileprivate mutating func count(_ refiner: PatchCodeConfiguration.Refiner, image: Double) {
        let (c, layers) = (Double(refiner.channels), Double(refiner.layers))
        let perTile = Double(refiner.factor * refiner.factor)
        weights += Self.numbersPerKernel * (2 * c * image * perTile + layers * 2 * c * c)
        hold(
            image + max(3 * c / perTile, c / perTile + 2 * image),
            keeping: image + (4 * layers + 1) * c / perTile, level: 0)
    }
}
