import Compute

extension LatentDiffusionArchitecture {
    var encoderMemory: HalfMemory {
        var memory = HalfMemory()
        for (level, c) in channels.enumerated() {
            memory.countBlocks(channels[max(0, level - 1)], c, layers: layers, level: level)
            guard level + 1 < channels.count else { continue }
            memory.weights += HalfMemory.numbersPerKernel * Double(c * c)
            // The map, the same with a border, and a quarter of the positions.
            memory.hold(2.5 * Double(c), keeping: Double(c), level: level)
        }
        memory.countEnds(self, coarse: encodedChannels + (projectedChannels ?? 0))
        return memory
    }

    var decoderMemory: HalfMemory {
        var memory = HalfMemory()
        for (level, c) in channels.enumerated() {
            memory.countBlocks(channels[min(level + 1, channels.count - 1)], c, layers: layers + 1, level: level)
            guard level > 0 else { continue }
            memory.weights += HalfMemory.numbersPerKernel * Double(c * c)
            // The enlarged map, the one before, and what is made of it.
            memory.hold(2.25 * Double(c), keeping: Double(c), level: level - 1)
        }
        memory.countEnds(self, coarse: latentChannels + drawnChannels)
        return memory
    }
}

extension HalfMemory {
    /// Residual blocks: the map itself beside two others.
    fileprivate mutating func countBlocks(_ input: Int, _ output: Int, layers: Int, level: Int) {
        let (input, output, layers) = (Double(input), Double(output), Double(layers))
        weights += Self.numbersPerKernel * output * (input + (2 * layers - 1) * output) + input * output
        // Of each block what its norms, activations and convolutions got.
        hold(2 * max(input, output) + output, keeping: 3 * (input + output) + 6 * (layers - 1) * output, level: level)
    }

    /// The middle, and the convolutions at both ends.
    fileprivate mutating func countEnds(_ architecture: LatentDiffusionArchitecture, coarse: Int) {
        let (first, last, level) = (Double(architecture.first), Double(architecture.last), architecture.channels.count - 1)
        countBlocks(architecture.last, architecture.last, layers: 2, level: level)
        if architecture.hasAttention {
            weights += 4 * last * last
            // The map, the normalised one, three projections and the result, and each thread's tile of similarities.
            let tiles = Double(SoftmaxAttention.tileRows * ComputeContext.current.threads)
            hold(6 * last + tiles, keeping: 6 * last, level: level)
        }
        weights += Self.numbersPerKernel * (first * 3 + last * Double(coarse))
        hold(2 * (last + Double(coarse)), keeping: 3 * last + Double(coarse), level: level)
        hold(2 * first + 6, keeping: 3 * first + 6, level: 0)
    }
}
