extension TinyConfiguration {
    package var encoderMemory: HalfMemory { memory(of: encoder.channels, encoder.blocks) }
    package var decoderMemory: HalfMemory { memory(of: decoder.channels, decoder.blocks.reversed()) }

    /// - Parameter blocks: of each stage, the finest first.
    private func memory(of channels: Int, _ blocks: [Int]) -> HalfMemory {
        var memory = HalfMemory()
        let (c, image, latent) = (Double(channels), Double(imageChannels), Double(latentChannels))
        for (level, count) in blocks.enumerated() {
            let layers = Double(count)
            memory.weights += HalfMemory.numbersPerKernel * 3 * layers * c * c
            // A block has its input and what goes into and comes out of a convolution; each of its layers keeps what it got.
            memory.hold(3 * c + (level == 0 ? image : 0), keeping: 6 * layers * c, level: level)
            if hasPools && level == blocks.count - 1 {
                let hidden = Double(TinyPool.expansion) * c
                memory.weights += layers * (2 * hidden * c + 2 * hidden)
                memory.hold(2 * c + hidden, keeping: layers * (c + 3 * hidden), level: level)
            }
            if level + 1 < blocks.count {
                memory.weights += HalfMemory.numbersPerKernel * c * c
                // A finer map, or the coarser one enlarged, beside the coarser one.
                memory.hold(2.25 * c, keeping: c, level: level)
            }
        }
        memory.weights += HalfMemory.numbersPerKernel * c * (image + latent)
        memory.hold(2 * c + 2 * latent, keeping: 2 * c + 2 * latent, level: blocks.count - 1)
        memory.hold(c + 2 * image, keeping: c + 2 * image, level: 0)
        return memory
    }
}
