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
        weights += Self.numbersPerKernel * (c * image * perTile + layers * 2 * c * c)
        hold(
            image + max(3 * c / perTile, c / perTile + 2 * image),
            keeping: image + (4 * layers + 1) * c / perTile, level: 0)
        count(refiner.scales ?? [], below: c, factor: refiner.factor, image: image)
        let (last, perLastTile) = (refiner.lastChannels, Double(refiner.lastFactor * refiner.lastFactor))
        weights += Self.numbersPerKernel * Double(last) * image * perLastTile
    }

    /// Beside the picture there are the coarser map, enlarged where it is kept, what it becomes, and the tiles and what they become; or a
    /// block's maps.
    private mutating func count(_ scales: [PatchCodeConfiguration.Refiner.Scale], below channels: Double, factor: Int, image: Double) {
        var (coarser, factor) = (channels, factor)
        for scale in scales {
            factor /= 2
            let (c, layers, perTile) = (Double(scale.channels), Double(scale.layers), Double(factor * factor))
            weights += Self.numbersPerKernel * (coarser * c + c * image * perTile + layers * 2 * c * c)
            hold(
                image + max(3 * c / perTile, (1.25 * coarser + 2 * c) / perTile + image),
                keeping: image + (coarser + (4 * layers + 2) * c) / perTile, level: 0)
            coarser = c
        }
    }
}
