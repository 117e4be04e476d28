import TokenizerCore

/// Trains an ``AutoencoderDC`` on image crops by mean squared error.
///
/// A step's batch is cut into a fixed number of shards; each runs forward and backward on one thread, and their gradients are
/// added in order, so that the result does not depend on how many threads there are.
public struct AutoencoderTrainer: Sendable {
    public struct Options: Sendable, Equatable, Codable {
        /// Crops per step; a multiple of ``shards``.
        public var batch: Int
        /// Parts of a batch that are computed side by side.
        public var shards: Int
        public var steps: Int
        /// The peak learning rate: reached after ``warmup`` steps, then falling along a cosine to zero.
        public var learningRate: Float
        public var warmup: Int
        public var weightDecay: Float
        /// The gradient norm is clipped to this.
        public var clip: Double
        /// Variance of the Gaussian noise added to the latents, relative to each channel's own variance in the shard. It makes the
        /// decoder ready for quantised latents and spreads information evenly over the channels.
        public var latentNoise: Float
        /// The published weights are an exponential average over about 1 / (1 − this) steps.
        public var averaging: Float

        public init(
            batch: Int, shards: Int, steps: Int, learningRate: Float, warmup: Int, weightDecay: Float, clip: Double,
            latentNoise: Float, averaging: Float
        ) {
            (self.batch, self.shards, self.steps, self.learningRate, self.warmup) = (batch, shards, steps, learningRate, warmup)
            (self.weightDecay, self.clip, self.latentNoise, self.averaging) = (weightDecay, clip, latentNoise, averaging)
        }
    }

    public let options: Options
    public private(set) var model: AutoencoderDC
    /// The weights averaged over the last steps: smoother, and better on pictures not seen.
    public private(set) var average: AutoencoderDC
    private var optimizer: AdamW
    private let seed: UInt64

    /// Steps taken so far.
    public var step: Int { optimizer.step }

    public init(_ model: AutoencoderDC, options: Options, seed: UInt64) {
        precondition(options.batch % options.shards == 0, "\(options.shards) shards do not divide a batch of \(options.batch)")
        self.options = options
        self.model = model
        average = model
        optimizer = AdamW(weightDecay: options.weightDecay)
        self.seed = seed
    }

    /// One step on `crops`, `[batch, s, s, 3]` in −1 … 1.
    /// - Returns: the mean squared error over the batch, with latent noise, before the step; NaN, and nothing is changed, where the
    ///   gradient is not finite.
    public mutating func train(on crops: Tensor) -> Double {
        precondition(crops.n == options.batch, "a step takes \(options.batch) crops, got \(crops.n)")
        let (losses, gradient) = gradients(of: crops)
        let scale = 1 / Float(options.shards)
        let norm = gradient.gradientNorm * Double(scale)
        guard norm.isFinite else { return .nan }
        let clipping = min(1, options.clip / (norm + 1e-6))
        optimizer.update(&model, gradient: gradient, learningRate: learningRate(at: step), scale: scale * Float(clipping))
        averageWeights()
        return losses.reduce(0, +) / Double(losses.count)
    }

    private func gradients(of crops: Tensor) -> (losses: [Double], sum: AutoencoderDC) {
        let perShard = options.batch / options.shards
        var shards = [Shard?](repeating: nil, count: options.shards)
        shards.withUnsafeMutableBufferPointer { shards in
            let target = shards.baseAddress!
            Workers.forEach(options.shards) { index in
                target[index] = shard(crops.images(index * perShard..<(index + 1) * perShard), index)
            }
        }
        let losses = shards.map { $0!.loss }
        var sum = shards.removeFirst()!.gradient
        for shard in shards { sum.accumulate(shard!.gradient) }
        return (losses, sum)
    }

    private struct Shard {
        var loss: Double
        var gradient: AutoencoderDC
    }

    private func shard(_ crops: Tensor, _ index: Int) -> Shard {
        var kept = Activations.keeping
        var gradient = model.zeroed()
        var z = model.encoder.forward(crops, keeping: &kept)
        if options.latentNoise > 0 { addNoise(to: &z, shard: index) }
        let y = model.decoder.forward(z, keeping: &kept)
        let (loss, dy) = SquaredError.loss(y, crops)
        _ = model.backward(dy, from: &kept, into: &gradient)
        return Shard(loss: loss, gradient: gradient)
    }

    private func addNoise(to z: inout Tensor, shard: Int) {
        let (rows, c) = (z.rows, z.c)
        let stream = RandomSource.stream(named: "latent noise")
        var random = RandomSource(seed: seed, stream: stream).substream(UInt64(step * options.shards + shard))
        z.withMutablePointer { z in
            for channel in 0..<c {
                var (sum, squares) = (0.0, 0.0)
                for row in 0..<rows {
                    let value = Double(z[row * c + channel])
                    sum += value
                    squares += value * value
                }
                let mean = sum / Double(rows)
                let deviation = Float(max(0, squares / Double(rows) - mean * mean).squareRoot()) * options.latentNoise.squareRoot()
                for row in 0..<rows { z[row * c + channel] += deviation * random.normal() }
            }
        }
    }

    private func learningRate(at step: Int) -> Float {
        options.learningRate * Schedule.warmupThenCosine(step: step, warmup: options.warmup, steps: options.steps)
    }

    private mutating func averageWeights() {
        // Early on the average follows quickly, so that the start is forgotten.
        let keep = min(options.averaging, Float(step) / Float(step + 10))
        let current = model.tensors
        var index = 0
        average.visit(.root) { _, _, tensor in
            var share = current[index].tensor
            share.multiply(by: 1 - keep)
            tensor.multiply(by: keep)
            tensor.add(share)
            index += 1
        }
    }
}

extension AutoencoderTrainer {
    /// Everything a resumed run needs besides options, seed and step.
    var state: [(name: String, tensor: Tensor)] {
        var (model, average) = (model, average)
        var tensors: [(name: String, tensor: Tensor)] = []
        model.visit(ParameterPath("model")) { path, _, tensor in tensors.append((path.description, tensor)) }
        average.visit(ParameterPath("average")) { path, _, tensor in tensors.append((path.description, tensor)) }
        return tensors + optimizer.state(prefix: "optimizer")
    }

    /// The trainer that ``state`` described after `step` steps.
    init(
        _ configuration: AutoencoderConfiguration, options: Options, seed: UInt64, step: Int, restoring file: SafetensorsFile
    ) throws(FileError) {
        var model = AutoencoderDC(configuration, .placeholder)
        try model.load(from: file, prefix: "model")
        self.init(model, options: options, seed: seed)
        try average.load(from: file, prefix: "average")
        optimizer = try AdamW(weightDecay: options.weightDecay, step: step, for: model, restoring: file, prefix: "optimizer")
    }
}
