import Compute
import Files
import Networks
import Ranks

/// Trains an ``Autoencoder`` on image crops, to lessen a ``PictureLoss`` and to deceive an ``Adversary``.
///
/// A step's batch is cut into a fixed number of shards; each runs forward and backward on one thread of one rank, and their gradients are
/// added in order, so that the result does not depend on how many threads there are, nor on how many ranks.
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
        /// What is lessened; nil for the mean squared error alone.
        package var loss: PictureLoss.Options?
        /// What else pulls; nil for nothing.
        package var adversary: Adversary.Options?

        package init(
            batch: Int, shards: Int, steps: Int, learningRate: Float, schedule: Schedule, weightDecay: Float, clip: Double,
            latentBits: Double?, averaging: Float, part: TrainedPart, loss: PictureLoss.Options? = nil, adversary: Adversary.Options? = nil
        ) {
            (self.batch, self.shards, self.steps, self.learningRate, self.schedule) = (batch, shards, steps, learningRate, schedule)
            (self.weightDecay, self.clip, self.latentBits, self.averaging) = (weightDecay, clip, latentBits, averaging)
            (self.part, self.loss, self.adversary) = (part, loss, adversary)
        }

        /// What is impossible about the numbers, if anything, named as options of `vae`.
        var problem: String? {
            if !(0...1).contains(learningRate) { return "--learning-rate is in 0...1, not \(learningRate)" }
            if !(0...1 << 24).contains(steps) { return "--steps is in 0...\(1 << 24), not \(steps)" }
            if let problem = schedule.problem { return problem }
            if !(weightDecay >= 0 && weightDecay.isFinite) { return "--weight-decay is a number that is not below 0, not \(weightDecay)" }
            if !(clip > 0 && clip.isFinite) { return "--clip is a number above 0, not \(clip)" }
            if !(0..<1).contains(averaging) { return "--averaging is in 0..<1, not \(averaging)" }
            if let problem = loss?.problem ?? adversary?.problem { return problem }
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
    private let ranks: RankGroup
    let loss: PictureLoss
    private var adversary: Adversary?
    private let seed: UInt64
    /// Of the last step, as the log calls them.
    private var terms: [String: Double] = [:]

    /// Steps taken so far.
    package var step: Int { optimizer.step }

    /// Whether latents are changed on their way to the decoder.
    var hasChannel: Bool {
        if case .open = channel { false } else { true }
    }

    /// What the log says about the last step.
    func figures(loss: Double) -> [String: Double] {
        ["loss": loss, "gradient_norm": gradientNorm, "learning_rate": Double(learningRate)].merging(terms) { own, _ in own }
    }

    /// - Parameters:
    ///   - variances: how much of the pixels' variance each latent channel carries, up to a common factor.
    ///   - ranks: who shares the shards of every step.
    package init(
        _ model: Autoencoder, variances: [Double], loss: PictureLoss = .squaredError, options: Options, seed: UInt64, ranks: RankGroup = .alone
    ) {
        let channel = options.latentBits.map { LatentChannel.test(TestChannel(variances: variances, bits: $0)) } ?? .open
        self.init(model, channel: channel, loss: loss, options: options, seed: seed, ranks)
    }

    /// Trains the decoder on what `tokens` leave of the latents.
    package init(
        _ model: Autoencoder, tokens: TokenChannel, loss: PictureLoss = .squaredError, options: Options, seed: UInt64, ranks: RankGroup = .alone
    ) {
        precondition(options.part != .all && options.latentBits == nil, "tokens pass no gradients, and take the test channel's place")
        self.init(model, channel: .tokens(tokens), loss: loss, options: options, seed: seed, ranks)
    }

    private init(_ model: Autoencoder, channel: LatentChannel, loss: PictureLoss, options: Options, seed: UInt64, _ ranks: RankGroup) {
        precondition(options.batch % options.shards == 0, "\(options.shards) shards do not divide a batch of \(options.batch)")
        precondition(ranks.count <= options.shards, "\(ranks.count) ranks share \(options.shards) shards")
        self.ranks = ranks
        self.options = options
        self.model = model
        moves = options.part.moves(in: model)
        averaging = WeightAverage(model, decay: options.averaging)
        optimizer = AdamW(weightDecay: options.weightDecay)
        (self.channel, self.loss) = (channel, loss)
        adversary = options.adversary.map { Adversary($0, .random(seed: seed)) }
        self.seed = seed
    }

    /// The crops of a step that belong to this rank's shards.
    var ownCrops: Range<Int> {
        let (shards, perShard) = (ranks.share(of: options.shards), options.batch / options.shards)
        return shards.lowerBound * perShard..<shards.upperBound * perShard
    }

    /// One step on `crops`, `[batch, s, s, 3]` in −1 … 1, of which a rank has ``ownCrops``.
    /// - Parameter rate: the learning rate; nil for the schedule's.
    /// - Returns: the mean squared error over the batch, through the test channel, before the step; NaN, and nothing is changed, where the
    ///   gradient is not finite.
    package mutating func train(on crops: Tensor, at rate: Float? = nil) -> Double {
        precondition(crops.n == ownCrops.count, "a step takes \(ownCrops.count) crops, got \(crops.n)")
        var adversary = isJudged ? self.adversary : nil
        let judge = adversary?.judge()
        var total = gradients(of: crops, judge)
        var gradient = total.gradient
        let moves = moves
        if options.part == .tail { gradient.decoder.clear { !moves.decoder[$0] } }
        let scale = 1 / Float(options.shards)
        let norm = gradient.gradientNorm * Double(scale)
        guard norm.isFinite, total.judgement.map(\.gradientNorm.isFinite) ?? true else { return .nan }
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
        if let judge, let judgement = total.judgement.take() {
            adversary!.learn(judgement, as: judge, scale: scale)
            self.adversary = adversary
        }
        terms = total.terms.mapValues { $0 * Double(scale) }
        return total.squaredError * Double(scale)
    }

    private var isJudged: Bool { options.adversary.map { step >= $0.start } ?? false }

    private func gradients(of crops: Tensor, _ judge: Discriminator.Normalized?) -> Shard {
        let (own, perShard) = (ranks.share(of: options.shards), options.batch / options.shards)
        var shards = [Shard?](repeating: nil, count: own.count)
        shards.withUnsafeMutableBufferPointer { shards in
            let target = shards.baseAddress!
            Workers.forEach(own.count) { index in
                target[index] = shard(crops.images(index * perShard..<(index + 1) * perShard), own.lowerBound + index, judge)
            }
        }
        return sum(shards.map { $0! })
    }

    /// Of all ranks' shards.
    private func sum(_ shards: consuming [Shard]) -> Shard {
        let names = shards[0].terms.keys.sorted()
        let figures = ranks.sum(shards.map { shard in [shard.squaredError] + names.map { shard.terms[$0]! } })
        let (gradients, judgements) = (shards.map(\.gradient), shards.compactMap(\.judgement))
        shards = []
        return Shard(
            squaredError: figures[0], terms: Dictionary(uniqueKeysWithValues: zip(names, figures.dropFirst())), gradient: ranks.sum(gradients),
            judgement: judgements.isEmpty ? nil : ranks.sum(judgements))
    }

    /// What a part of the batch gives, or several of them added up.
    private struct Shard {
        var squaredError: Double
        /// Of the loss, as the log calls them.
        var terms: [String: Double]
        var gradient: Autoencoder
        /// The gradient of the discriminator that judged.
        var judgement: Discriminator?
    }

    private func shard(_ crops: Tensor, _ index: Int, _ judge: Discriminator.Normalized?) -> Shard {
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
        let y = model.decoder.forward(z, keeping: &drawn)
        let value = loss(y, crops)
        var terms = loss.terms(of: value)
        var judged = judge == nil ? Tape.forgetting : drawn
        var dz = model.decoder.backward(value.gradient, from: &drawn, into: &gradient.decoder)
        let judgement = judge.map { Adversary.judge(y, crops, with: $0) }
        if let judgement {
            terms.merge(judgement.terms) { own, _ in own }
            var pull = gradient.decoder.zeroed()
            var dpull = model.decoder.backward(judgement.pull, from: &judged, into: &pull)
            let factor = adversary!.factor(pull, beside: gradient.decoder)
            pull.scale(by: factor)
            gradient.decoder.accumulate(pull)
            dpull.multiply(by: factor)
            dz.add(dpull)
        }
        if options.part == .all {
            if let passage { dz = passage.backward(dz) }
            _ = model.encoder.backward(dz, from: &kept, into: &gradient.encoder)
        }
        return Shard(squaredError: value.squaredError, terms: terms, gradient: gradient, judgement: judgement?.gradient)
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
        return tensors + optimizer.state(prefix: "optimizer") + (adversary?.state ?? [])
    }

    /// The trainer that ``state`` described after `step` steps; `tokens` are those that it was made with.
    init(
        _ configuration: AutoencoderConfiguration, tokens: TokenChannel?, loss: PictureLoss, options: Options, seed: UInt64, step: Int,
        ranks: RankGroup, restoring file: SafetensorsFile
    ) throws(FileError) {
        var model = Autoencoder(configuration, .placeholder)
        try model.load(from: file, prefix: "model")
        var channel = tokens.map { LatentChannel.tokens($0) } ?? .open
        if options.latentBits != nil { channel = .test(TestChannel(distortions: try file.tensor(Self.channelName).values)) }
        self.init(model, channel: channel, loss: loss, options: options, seed: seed, ranks)
        adversary = try options.adversary.map { options throws(FileError) in try Adversary(options, restoring: file) }
        try averaging.load(from: file, prefix: "average")
        let (decay, prefix) = (options.weightDecay, "optimizer")
        optimizer =
            options.part == .all
            ? try AdamW(weightDecay: decay, step: step, for: model, restoring: file, prefix: prefix)
            : try AdamW(weightDecay: decay, step: step, for: model.decoder, restoring: file, prefix: prefix)
    }
}
