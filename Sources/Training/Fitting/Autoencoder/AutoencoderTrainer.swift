import Compute
import Files
import Networks

/// Trains an ``Autoencoder`` on image crops by mean squared error.
///
/// A step's batch is cut into a fixed number of shards; each runs forward and backward on one thread, and their gradients are
/// added in order, so that the result does not depend on how many threads there are.
package struct AutoencoderTrainer: Sendable {
    package struct Options: Sendable, Equatable, Codable {
        /// Crops per step; a multiple of ``shards``.
        package var batch: Int
        /// Parts of a batch that are computed side by side.
        package var shards: Int
        package var steps: Int
        /// The peak learning rate.
        package var learningRate: Float
        package var schedule: Schedule
        package var weightDecay: Float
        /// The gradient norm is clipped to this.
        package var clip: Double
        /// The latents are trained to survive quantisation to so many bits per position, see ``TestChannel``; nil passes them on whole.
        package var latentBits: Double?
        /// The published weights are an exponential average over about 1 / (1 − this) steps.
        package var averaging: Float
        package var part: TrainedPart

        package init(
            batch: Int, shards: Int, steps: Int, learningRate: Float, schedule: Schedule, weightDecay: Float, clip: Double,
            latentBits: Double?, averaging: Float, part: TrainedPart
        ) {
            (self.batch, self.shards, self.steps, self.learningRate, self.schedule) = (batch, shards, steps, learningRate, schedule)
            (self.weightDecay, self.clip, self.latentBits, self.averaging) = (weightDecay, clip, latentBits, averaging)
            self.part = part
        }

        /// What is impossible about the numbers, if anything, named as options of `vae`.
        var problem: String? {
            if !(0...1).contains(learningRate) { return "--learning-rate is in 0...1, not \(learningRate)" }
            if !(0...1 << 24).contains(steps) { return "--steps is in 0...\(1 << 24), not \(steps)" }
            if let problem = schedule.problem { return problem }
            if !(weightDecay >= 0 && weightDecay.isFinite) { return "--weight-decay is a number that is not below 0, not \(weightDecay)" }
            if !(clip > 0 && clip.isFinite) { return "--clip is a number above 0, not \(clip)" }
            if !(0..<1).contains(averaging) { return "--averaging is in 0..<1, not \(averaging)" }
            if let latentBits, !(0...4096).contains(latentBits) { return "--latent-bits is in 0...4096, not \(latentBits)" }
            let isWhole = shards >= 1 && batch >= shards && batch % shards == 0
            return isWhole ? nil : "a batch is a multiple of the \(shards) shards, not \(batch)"
        }
    }

    package let options: Options
    package private(set) var model: Autoencoder
    /// The weights averaged over the last steps: smoother, and better on pictures not seen.
    package var average: Autoencoder { averaging.model }
    private var averaging: WeightAverage<Autoencoder>
    /// Of the last step, before clipping.
    private(set) var gradientNorm = 0.0
    /// Of the last step.
    private(set) var learningRate: Float = 0
    /// Which tensors of encoder and decoder are trained, in visiting order.
    private let moves: (encoder: [Bool], decoder: [Bool])
    private var optimizer: AdamW
    private let channel: LatentChannel
    private let seed: UInt64

    /// Steps taken so far.
    package var step: Int { optimizer.step }

    /// Whether latents are changed on their way to the decoder.
    var hasChannel: Bool {
        if case .open = channel { false } else { true }
    }

    /// What the log says about the last step.
    func figures(loss: Double) -> [String: Double] {
        ["loss": loss, "gradient_norm": gradientNorm, "learning_rate": Double(learningRate)]
    }

    /// - Parameter variances: how much of the pixels' variance each latent channel carries, up to a common factor.
    package init(_ model: Autoencoder, variances: [Double], options: Options, seed: UInt64) {
        self.init(
            model, channel: options.latentBits.map { .test(TestChannel(variances: variances, bits: $0)) } ?? .open, options: options, seed: seed)
    }

    /// Trains the decoder on what `tokens` leave of the latents.
    package init(_ model: Autoencoder, tokens: TokenChannel, options: Options, seed: UInt64) {
        precondition(options.part != .all && options.latentBits == nil, "tokens pass no gradients, and take the test channel's place")
        self.init(model, channel: .tokens(tokens), options: options, seed: seed)
    }

    private init(_ model: Autoencoder, channel: LatentChannel, options: Options, seed: UInt64) {
        precondition(options.batch % options.shards == 0, "\(options.shards) shards do not divide a batch of \(options.batch)")
        self.options = options
        self.model = model
        moves = options.part.moves(in: model)
        averaging = WeightAverage(model, decay: options.averaging)
        optimizer = AdamW(weightDecay: options.weightDecay)
        self.channel = channel
        self.seed = seed
    }

    /// One step on `crops`, `[batch, s, s, 3]` in −1 … 1.
    /// - Parameter rate: the learning rate; nil for the schedule's.
    /// - Returns: the mean squared error over the batch, through the test channel, before the step; NaN, and nothing is changed, where the
    ///   gradient is not finite.
    package mutating func train(on crops: Tensor, at rate: Float? = nil) -> Double {
        precondition(crops.n == options.batch, "a step takes \(options.batch) crops, got \(crops.n)")
        let (losses, sum) = gradients(of: crops)
        var gradient = sum
        let moves = moves
        if options.part == .tail { gradient.decoder.clear { !moves.decoder[$0] } }
        let scale = 1 / Float(options.shards)
        let norm = gradient.gradientNorm * Double(scale)
        guard norm.isFinite else { return .nan }
        gradientNorm = norm
        learningRate = rate ?? scheduledRate
        let factor = scale * GradientClipping.factor(norm: norm, limit: options.clip)
        if options.part == .all {
            optimizer.update(&model, gradient: gradient, learningRate: learningRate, scale: factor)
        } else {
            optimizer.update(&model.decoder, gradient: gradient.decoder, learningRate: learningRate, scale: factor) { moves.decoder[$0] }
        }
        let all = moves.encoder + moves.decoder
        averaging.add(model, step: step) { all[$0] }
        return losses.reduce(0, +) / Double(losses.count)
    }

    private func gradients(of crops: Tensor) -> (losses: [Double], sum: Autoencoder) {
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
        var gradient: Autoencoder
    }

    private func shard(_ crops: Tensor, _ index: Int) -> Shard {
        var kept = options.part == .all ? Tape.keeping : .forgetting
        var gradient = model.zeroed()
        var z = model.encoder.forward(crops, keeping: &kept)
        var drawn = Tape.keeping
        var random = noise.substream(UInt64(step * options.shards + index))
        var passage: TestChannel.Passage?
        switch channel {
        case .open: break
        case .test(let channel):
            passage = channel.passage(of: z, &random)
            z = passage!.output
        case .tokens(let channel): z = channel.passage(of: z)
        }
        let (loss, dy) = SquaredError.loss(model.decoder.forward(z, keeping: &drawn), crops)
        var dz = model.decoder.backward(dy, from: &drawn, into: &gradient.decoder)
        if options.part == .all {
            if let passage { dz = passage.backward(dz) }
            _ = model.encoder.backward(dz, from: &kept, into: &gradient.encoder)
        }
        return Shard(loss: loss, gradient: gradient)
    }

    private var noise: RandomSource { RandomSource(seed: seed, stream: RandomSource.stream(named: "latent noise")) }

    /// Through the encoder, the channel and the decoder, with the averaged weights.
    func reconstruction(of pixels: Tensor) -> Tensor {
        let z = average.encoder(pixels)
        var random = noise
        switch channel {
        case .open: return average.decoder(z)
        case .test(let channel): return average.decoder(channel.passage(of: z, &random).output)
        case .tokens(let channel): return average.decoder(channel.passage(of: z))
        }
    }

    private var scheduledRate: Float { options.learningRate * options.schedule.factor(step: step, steps: options.steps) }
}

extension AutoencoderTrainer {
    private static let channelName = "channel.distortions"

    /// Everything a resumed run needs besides options, seed and step.
    var state: [(name: String, tensor: Tensor)] {
        var (model, average) = (model, average)
        var tensors: [(name: String, tensor: Tensor)] = []
        model.visit(ParameterPath("model")) { path, _, tensor in tensors.append((path.description, tensor)) }
        average.visit(ParameterPath("average")) { path, _, tensor in tensors.append((path.description, tensor)) }
        if case .test(let channel) = channel { tensors.append((Self.channelName, Tensor(channel.distortions, shape: [channel.distortions.count]))) }
        return tensors + optimizer.state(prefix: "optimizer")
    }

    /// The trainer that ``state`` described after `step` steps; `tokens` are those that it was made with.
    init(
        _ configuration: AutoencoderConfiguration, tokens: TokenChannel?, options: Options, seed: UInt64, step: Int,
        restoring file: SafetensorsFile
    ) throws(FileError) {
        var model = Autoencoder(configuration, .placeholder)
        try model.load(from: file, prefix: "model")
        var channel = tokens.map { LatentChannel.tokens($0) } ?? .open
        if options.latentBits != nil { channel = .test(TestChannel(distortions: try file.tensor(Self.channelName).values)) }
        self.init(model, channel: channel, options: options, seed: seed)
        try averaging.load(from: file, prefix: "average")
        let (decay, prefix) = (options.weightDecay, "optimizer")
        optimizer =
            options.part == .all
            ? try AdamW(weightDecay: decay, step: step, for: model, restoring: file, prefix: prefix)
            : try AdamW(weightDecay: decay, step: step, for: model.decoder, restoring: file, prefix: prefix)
    }
}
