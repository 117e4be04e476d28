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
        /// Where the encoder is trained through tokens; nil elsewhere.
        package var straightThrough: StraightThrough?

        package init(
            batch: Int, shards: Int, steps: Int, learningRate: Float, schedule: Schedule, weightDecay: Float, clip: Double,
            latentBits: Double?, averaging: Float, part: TrainedPart, loss: PictureLoss.Options? = nil, adversary: Adversary.Options? = nil,
            straightThrough: StraightThrough? = nil
        ) {
            (self.batch, self.shards, self.steps, self.learningRate, self.schedule) = (batch, shards, steps, learningRate, schedule)
            (self.weightDecay, self.clip, self.latentBits, self.averaging) = (weightDecay, clip, latentBits, averaging)
            (self.part, self.loss, self.adversary, self.straightThrough) = (part, loss, adversary, straightThrough)
        }

        /// What is impossible about the numbers, if anything, named as options of `vae`.
        var problem: String? {
            if !(0...1).contains(learningRate) { return "--learning-rate is in 0...1, not \(learningRate)" }
            if !(0...1 << 24).contains(steps) { return "--steps is in 0...\(1 << 24), not \(steps)" }
            if let problem = schedule.problem { return problem }
            if !(weightDecay >= 0 && weightDecay.isFinite) { return "--weight-decay is a number that is not below 0, not \(weightDecay)" }
            if !(clip > 0 && clip.isFinite) { return "--clip is a number above 0, not \(clip)" }
            if !(0..<1).contains(averaging) { return "--averaging is in 0..<1, not \(averaging)" }
            if let problem = loss?.problem ?? adversary?.problem ?? straightThrough?.problem { return problem }
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
    private var channel: LatentChannel
    private var runningCodes: RunningCodes?
    private let ranks: RankGroup
    let loss: PictureLoss
    private var adversary: Adversary?
    private let seed: UInt64
    /// Of the last step, as the log calls them.
    private var terms: [String: Double] = [:]

    /// Steps taken so far.
    package var step: Int { optimizer.step }

    /// The codes, `[codebooks, N, d]`, where they are trained; nil elsewhere.
    var codebooks: Tensor? {
        guard runningCodes != nil, case .tokens(let channel) = channel else { return nil }
        return channel.codebooks
    }

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

    /// Trains on what `tokens` leave of the latents: the decoder, or with ``Options/straightThrough`` the encoder, too.
    package init(
        _ model: Autoencoder, tokens: TokenChannel, loss: PictureLoss = .squaredError, options: Options, seed: UInt64, ranks: RankGroup = .alone
    ) {
        precondition(options.latentBits == nil, "tokens take the test channel's place")
        precondition(
            options.part.movesEncoder == (options.straightThrough != nil), "only an encoder that is trained gets gradients straight through tokens")
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
        // An encoder that is trained alone chooses among the codes that there are.
        runningCodes = options.part == .all ? options.straightThrough.map { RunningCodes(averaging: $0.averaging, seed: seed) } : nil
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
        let scale = 1 / Float(options.shards)
        let norm = total.gradient.gradientNorm * Double(scale)
        guard norm.isFinite, total.judgement.map(\.gradientNorm.isFinite) ?? true else { return .nan }
        gradientNorm = norm
        learningRate = rate ?? scheduledRate
        move(against: total.gradient, scale: scale * GradientClipping.factor(norm: norm, limit: options.clip))
        terms = total.terms.mapValues { $0 * Double(scale) }
        if let vectors = total.vectors { followCodes(vectors) }
        if let judge, let judgement = total.judgement.take() {
            adversary!.learn(judgement, as: judge, scale: scale)
            self.adversary = adversary
        }
        return total.squaredError * Double(scale)
    }

    /// Of the weights, those that are trained.
    private mutating func move(against gradient: Autoencoder, scale: Float) {
        let moves = moves
        switch options.part {
        case .all: optimizer.update(&model, gradient: gradient, learningRate: learningRate, scale: scale)
        case .encoder: optimizer.update(&model.encoder, gradient: gradient.encoder, learningRate: learningRate, scale: scale)
        case .decoder, .tail:
            optimizer.update(&model.decoder, gradient: gradient.decoder, learningRate: learningRate, scale: scale) { moves.decoder[$0] }
        }
        let all = moves.encoder + moves.decoder
        averaging.add(model, step: step) { all[$0] }
    }

    /// - Parameter vectors: those of this rank's shards.
    private mutating func followCodes(_ vectors: [Tensor]) {
        guard case .tokens(var channel) = channel, var codes = runningCodes else { return }
        let (own, width) = (ranks.share(of: options.shards), vectors[0].c)
        let perShard = options.batch / options.shards * width
        var all = [Float](repeating: 0, count: options.batch * width)
        for (shard, vectors) in zip(own, vectors) { all.replaceSubrange(shard * perShard..<(shard + 1) * perShard, with: vectors.values) }
        all.withUnsafeMutableBufferPointer { ranks.complete($0, sharedBy: options.shards) }
        let quantizer = channel.quantizer(ofVectors: width)
        let found = codes.follow(Tensor(all, shape: [options.batch, width]), of: quantizer, step: step, ranks: ranks)
        channel.codebooks = found.codebooks
        (self.channel, runningCodes) = (.tokens(channel), codes)
        terms["code_resets"] = Double(found.resets)
    }

    private var isJudged: Bool { options.adversary.map { step >= $0.start } ?? false }

    private func gradients(of crops: Tensor, _ judge: Discriminator.Normalized?) -> Shard {
        let (own, perShard) = (ranks.share(of: options.shards), options.batch / options.shards)
        // How a judge's pull is weighed shows when all of it is there.
        let sums = GradientSum(of: own.count, ranks, isOverlapping: judge == nil)
        var shards = [Shard?](repeating: nil, count: own.count)
        shards.withUnsafeMutableBufferPointer { shards in
            let target = shards.baseAddress!
            Workers.forEach(own.count) { index in
                let crops = crops.images(index * perShard..<(index + 1) * perShard)
                target[index] = shard(crops, own.lowerBound + index, judge, sums.receiver(index))
            }
        }
        return sum(shards.map { $0! }, sums)
    }

    /// Of all ranks' shards.
    private func sum(_ shards: consuming [Shard], _ sums: GradientSum) -> Shard {
        let (gradients, judgements, vectors) = (shards.map(\.gradient), shards.compactMap(\.judgement), shards.compactMap(\.vectors).flatMap { $0 })
        let names = shards[0].terms.keys.sorted()
        let figures = shards.map { shard in [shard.squaredError] + names.map { shard.terms[$0]! } }
        shards = []
        let moves = moves.encoder + moves.decoder
        let gradient = sums.sum(gradients) { moves[$0] }
        let total = ranks.sum(figures)
        return Shard(
            squaredError: total[0], terms: Dictionary(uniqueKeysWithValues: zip(names, total.dropFirst())), gradient: gradient,
            judgement: judgements.isEmpty ? nil : ranks.sum(judgements), vectors: vectors.isEmpty ? nil : vectors)
    }

    /// What a part of the batch gives, or several of them added up.
    private struct Shard {
        var squaredError: Double
        /// Of the loss, as the log calls them.
        var terms: [String: Double]
        var gradient: Autoencoder
        /// The gradient of the discriminator that judged.
        var judgement: Discriminator?
        /// What was compared with the codes that are to follow it, `[n, G·d]` of each shard of this rank.
        var vectors: [Tensor]?
    }

    /// - Parameter receiver: told what is finished of the gradient.
    private func shard(_ crops: Tensor, _ index: Int, _ judge: Discriminator.Normalized?, _ receiver: GradientReceiver?) -> Shard {
        var random = noise.substream(UInt64(step * options.shards + index))
        var way = Way(kept: options.part.movesEncoder ? .keeping : .forgetting, drawn: .keeping)
        way.kept.receiver = receiver
        // The pass through the decoder comes to all of its layers, and what is told of is sent. A tail, which is small, is sent in the end.
        way.drawn.receiver = options.part.movesWholeDecoder ? receiver : nil
        way.passage = channel.passage(of: model.encoder.forward(crops, keeping: &way.kept), &random)
        let y = model.decoder.forward(way.passage.output, keeping: &way.drawn)
        let value = loss(y, crops)
        var (terms, commitment, vectors) = (loss.terms(of: value), nil as Tensor?, nil as [Tensor]?)
        if let options = options.straightThrough, case .tokens(let passage) = way.passage {
            let error = passage.error()
            terms["token_error"] = error.value
            commitment = error.gradient
            commitment!.multiply(by: Float(options.commitment))
            vectors = runningCodes == nil ? nil : [passage.vectors]
        }
        guard let judge else {
            return Shard(
                squaredError: value.squaredError, terms: terms, gradient: gradient(of: value.gradient, way, commitment), judgement: nil,
                vectors: vectors)
        }
        let judgement = Adversary.judge(y, crops, with: judge)
        terms.merge(judgement.terms) { own, _ in own }
        var pull = gradient(of: judgement.pull, way, nil)
        var total = gradient(of: value.gradient, way, commitment)
        pull.scale(by: adversary!.factor(pull, beside: total))
        // The batch's statistics are in both, and count once.
        let roles = pull.tensors.map(\.role)
        pull.clear { roles[$0] == .measured }
        total.accumulate(pull)
        return Shard(squaredError: value.squaredError, terms: terms, gradient: total, judgement: judgement.gradient, vectors: vectors)
    }

    /// What a shard's way from crops to drawn pictures leaves for the way back.
    private struct Way {
        /// Of the encoder, and of the decoder.
        var kept, drawn: Tape
        var passage = LatentChannel.Passage.open(Tensor(zeros: [0]))
    }

    /// What the gradient for drawn pictures means for the weights that are trained; nothing for the others.
    /// - Parameter commitment: a gradient for the latents besides.
    private func gradient(of dy: consuming Tensor, _ way: consuming Way, _ commitment: Tensor?) -> Autoencoder {
        var gradient = model.zeroed()
        var dz = model.decoder.backward(dy, from: &way.drawn, into: &gradient.decoder)
        if options.part.movesEncoder {
            dz = way.passage.backward(dz)
            if let commitment { dz.add(commitment) }
            _ = model.encoder.backward(dz, from: &way.kept, into: &gradient.encoder)
        }
        let moves = moves
        gradient.encoder.clear { !moves.encoder[$0] }
        gradient.decoder.clear { !moves.decoder[$0] }
        return gradient
    }

    private var noise: RandomSource { RandomSource(seed: seed, stream: RandomSource.stream(named: "latent noise")) }

    /// Through the encoder, the channel and the decoder, with the averaged weights.
    func reconstruction(of pixels: Tensor) -> Tensor {
        let z = average.encoder(pixels)
        var random = noise
        return average.decoder(channel.passage(of: z, &random).output)
    }

    private var scheduledRate: Float { options.learningRate * options.schedule.factor(step: step, steps: options.steps) }
}

extension AutoencoderTrainer {
    private static let (channelName, codesName, codeTotalsName) = ("channel.distortions", "codes.embeddings", "codes.totals")

    /// Everything a resumed run needs besides options, seed and step.
    var state: [(name: String, tensor: Tensor)] {
        var (model, average) = (model, average)
        var tensors: [(name: String, tensor: Tensor)] = []
        model.visit(ParameterPath("model")) { path, _, tensor in tensors.append((path.description, tensor)) }
        average.visit(ParameterPath("average")) { path, _, tensor in tensors.append((path.description, tensor)) }
        if case .test(let channel) = channel { tensors.append((Self.channelName, Tensor(channel.distortions, shape: [channel.distortions.count]))) }
        if let codebooks, let totals = runningCodes?.totals { tensors += [(Self.codesName, codebooks), (Self.codeTotalsName, totals)] }
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
        try restoreCodes(from: file)
        let (decay, prefix) = (options.weightDecay, "optimizer")
        switch options.part {
        case .all: optimizer = try AdamW(weightDecay: decay, step: step, for: model, restoring: file, prefix: prefix)
        case .encoder: optimizer = try AdamW(weightDecay: decay, step: step, for: model.encoder, restoring: file, prefix: prefix)
        case .decoder, .tail: optimizer = try AdamW(weightDecay: decay, step: step, for: model.decoder, restoring: file, prefix: prefix)
        }
    }

    private mutating func restoreCodes(from file: SafetensorsFile) throws(FileError) {
        guard let straightThrough = options.straightThrough, runningCodes != nil, case .tokens(var channel) = channel,
            file.names.contains(Self.codesName)
        else { return }
        channel.codebooks = try file.tensor(Self.codesName, shape: channel.codebooks.shape)
        self.channel = .tokens(channel)
        runningCodes = RunningCodes(averaging: straightThrough.averaging, seed: seed, totals: try file.tensor(Self.codeTotalsName))
    }
}
