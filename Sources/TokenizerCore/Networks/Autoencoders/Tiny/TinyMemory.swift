extension TinyConfiguration {
    package var encoderMemory: HalfMemory {
        var memory = HalfMemory()
        var channels = Double(imageChannels)
        // Where there is no stem, the convolution at full resolution is counted beside the latents'.
        for (level, width) in stem.map(Double.init).enumerated() {
            memory.weights += HalfMemory.numbersPerKernel * channels * width
            // The finer map beside the coarser one, once more where its activation keeps what it got.
            memory.hold(channels + width / 2, keeping: channels + width / 4, level: level)
            channels = width
        }
        add(to: &memory, encoder.channels, encoder.blocks, finest: stem.count)
        return memory
    }

    package var decoderMemory: HalfMemory {
        var memory = HalfMemory()
        add(to: &memory, decoder.channels.reversed(), decoder.blocks.reversed(), finest: 0)
        return memory
    }

    /// - Parameters:
    ///   - channels: of each stage, the finest first.
    ///   - blocks: likewise.
    ///   - finest: how often the resolution was halved before the finest stage.
    private func add(to memory: inout HalfMemory, _ channels: [Int], _ blocks: [Int], finest: Int) {
        let widths = channels.map(Double.init)
        let (image, latent, last) = (Double(imageChannels), Double(latentChannels), widths.count - 1)
        for (i, c) in widths.enumerated() {
            let (layers, level) = (Double(blocks[i]), finest + i)
            memory.weights += HalfMemory.numbersPerKernel * 3 * layers * c * c
            // A block has its input and what goes into and comes out of a convolution; each of its layers keeps what it got.
            memory.hold(3 * c + (level == 0 ? image : 0), keeping: 6 * layers * c, level: level)
            if hasPools && i == last {
                let hidden = Double(TinyPool.expansion) * c
                memory.weights += layers * (2 * hidden * c + 2 * hidden)
                memory.hold(2 * c + hidden, keeping: layers * (c + 3 * hidden), level: level)
            }
            if i < last {
                let coarser = widths[i + 1]
                memory.weights += HalfMemory.numbersPerKernel * c * coarser
                // A finer map, or the coarser one enlarged, beside the coarser one.
                memory.hold(c + 1.25 * coarser, keeping: max(c, coarser), level: level)
            }
        }
        memory.weights += HalfMemory.numbersPerKernel * (widths[0] * image + widths[last] * latent)
        memory.hold(2 * widths[last] + 2 * latent, keeping: 2 * widths[last] + 2 * latent, level: finest + last)
        if finest == 0 { memory.hold(widths[0] + 2 * image, keeping: widths[0] + 2 * image, level: 0) }
    }
}
