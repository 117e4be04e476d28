import Compute
import Files
import Images
import Jobs
import Networks
import Pictures
import Ranks
import TokenizerCore

/// `revq-train vae`: trains an autoencoder from images, and goes on where an earlier call was interrupted.
package struct AutoencoderRun {
    package struct Options: Codable, Equatable, Sendable {
        /// PNG and JPEG files, as ``ImageSource`` takes them.
        package var images: String
        /// Images are brought to squares of this side first.
        package var size: Int
        /// The side of the training crops.
        package var crop: Int
        /// Crops are cut from whole images, whose shorter side is resized to ``size`` times a number from 1 to this; nil to cut them from squares.
        package var scale: Double?
        /// Which images are trained on, and which measure the model.
        package var split: Split
        package var seed: UInt64
        package var architecture: AutoencoderConfiguration
        /// Steps from one measurement on the choosing part to the next: what the best weights are chosen from.
        package var measureEvery: Int
        /// What to go on from; nil to start anew.
        package var start: Start?
        /// The rates to try out, in the place of a training; nil to train.
        package var range: LearningRateRange?
        package var training: AutoencoderTrainer.Options

        package init(
            images: String, size: Int, crop: Int, scale: Double = 1, split: Split = .usual, seed: UInt64, measureEvery: Int = 500,
            architecture: AutoencoderConfiguration, start: Start? = nil, range: LearningRateRange? = nil, training: AutoencoderTrainer.Options
        ) {
            (self.images, self.size, self.crop, self.split, self.seed) = (images, size, crop, split, seed)
            self.scale = scale == 1 ? nil : scale
            (self.measureEvery, self.architecture, self.start, self.range) = (measureEvery, architecture, start, range)
            self.training = training
        }
    }

    /// A finished autoencoder that is trained further, on its latents or on the tokens of a quantiser fitted to them.
    package struct Start: Codable, Equatable, Sendable {
        /// A folder of the diffusers layout, of the run's architecture but for the refiner.
        package var vae: String
        /// What `revq-train fit` made for it; nil to train on the latents as they are.
        package var fit: String?

        package init(vae: String, fit: String? = nil) {
            (self.vae, self.fit) = (vae, fit)
        }
    }

    /// What `config.json` of the run holds.
    private struct Record: Encodable {
        var command = "vae"
        var options: Options
        var imagesSignature: String
        /// Of the weights that it starts from.
        var start: FileDigest?
        var fit: FileDigest?
        var perceptual: [FileDigest]?
    }

    /// The folder in the run's that holds the result, in the diffusers layout.
    package static let resultName = "vae"
    /// Beside it, where a quantiser was given: the same for the trained decoder.
    package static let fitName = "fit"
    /// What the names of both end in for the weights that did best on the choosing part, where these are not the last.
    package static let bestEnding = "-best"
    private static let results = [resultName, fitName, resultName + bestEnding, fitName + bestEnding]
    private static let growth = RunDirectory.Growth(of: ["options.training.steps"], replacing: results)
    /// Images from which the patch code's principal components are found, or what a finished one's latents carry.
    private static let basisImages = 1024

    let options: Options
    /// To measure with, and to learn from.
    let images, lessons: SquareImages
    let index: PictureIndex
    let fit: FittedQuantizer?
    private let tokens: TokenChannel?
    private let loss: PictureLoss
    package let directory: RunDirectory
    private let states: TrainingStates
    let ranks: RankGroup
    let console: Console

    /// Opens the run at `path`, new or begun.
    /// - Parameter ranks: who trains together: the first writes and speaks, all read the pictures and the saved states.
    /// - Throws: when the options are impossible, the images cannot be used, or the folder belongs to another run; on all ranks, where it is so
    ///   on one, or where they have been given different things.
    package init(_ path: String, options: Options, console: Console, ranks: RankGroup = .alone) throws(FileError) {
        let inputs = try ranks.together { () throws(FileError) in try Inputs(options, console, ranks) }
        try ranks.agree(on: JobFacts.common + inputs.facts(options))
        (index, images, lessons) = (inputs.index, inputs.images, inputs.lessons)
        (fit, tokens, loss) = (inputs.fit, inputs.tokens, inputs.loss)
        (self.options, self.console, self.ranks) = (options, console, ranks)
        directory = try ranks.together { () throws(FileError) in
            guard ranks.isFirst else { return RunDirectory(openedElsewhere: path) }
            return try RunDirectory(path, options: inputs.record, growth: Self.growth, isCache: { [PictureParts.fileName, PictureSheets.name].contains($0) })
        }
        states = TrainingStates(of: directory)
    }

    /// What a run reads before it begins, held against its options.
    private struct Inputs {
        let index: PictureIndex
        let images, lessons: SquareImages
        let fit: FittedQuantizer?
        let tokens: TokenChannel?
        let loss: PictureLoss
        let record: Record

        init(_ options: Options, _ console: Console, _ ranks: RankGroup) throws(FileError) {
            let source = try ImageSource(options.images)
            try AutoencoderRun.validate(options, ranks)
            index = PictureIndex(source, console)
            try AutoencoderRun.validate(index, options)
            images = SquareImages(source, size: options.size)
            lessons = SquareImages(source, size: options.size, isReduced: true, wholeUpTo: options.scale)
            // The same remarks on the source.
            _ = images.takeComplaints()
            if let start = options.start { try AutoencoderRun.check(start, options.architecture) }
            fit = try options.start.flatMap { start throws(FileError) in try AutoencoderRun.fit(of: start) }
            tokens = try fit.map { fit throws(FileError) in try AutoencoderRun.tokens(of: fit, options) }
            loss = try options.training.loss.map { options throws(FileError) in try PictureLoss(options) } ?? .squaredError
            record = Record(
                options: options, imagesSignature: String(source.signature, radix: 16),
                start: try options.start.map { start throws(FileError) in try FileDigest(of: Autoencoder.weightsPath(in: start.vae)) },
                fit: try options.start?.fit.map { fit throws(FileError) in try FittedQuantizer.digest(of: fit) },
                perceptual: try options.training.loss.map { loss throws(FileError) in try AutoencoderRun.digests(of: loss) })
        }

        /// What has to be equal on all ranks: the pictures by their contents.
        func facts(_ options: Options) -> [(name: String, digest: String)] {
            [
                ("other options", JobFacts.digest(options)), ("other pictures", JobFacts.digest(index.keys)),
                (
                    "another autoencoder, quantiser or perceptual network",
                    JobFacts.digest([record.start, record.fit] + (record.perceptual ?? []).map(Optional.some))
                ),
            ]
        }
    }

    private static func digests(of loss: PictureLoss.Options) throws(FileError) -> [FileDigest] {
        var digests: [FileDigest] = []
        for term in loss.perceptual { digests.append(try FileDigest(of: term.network)) }
        return digests
    }

    private static func tokens(of fit: FittedQuantizer, _ options: Options) throws(FileError) -> TokenChannel {
        do throws(FileError) {
            return try TokenChannel(fit, imageSizes: [options.crop, options.size])
        } catch {
            let size = fit.description.imageSize
            throw FileError(path: options.start?.fit ?? "", reason: "\(error.reason); it serves --crop \(size) with --size \(size)")
        }
    }

    private static func check(_ start: Start, _ architecture: AutoencoderConfiguration) throws(FileError) {
        let finished = try AutoencoderConfiguration(contentsOf: "\(start.vae)/\(Autoencoder.configurationName)")
        let (own, other) = (architecture.className, finished.className)
        guard own == other else {
            throw FileError(path: start.vae, reason: "\(start.vae) is of the family \(other), not \(own): it cannot be trained further as that")
        }
        guard architecture.differsOnlyInRefiner(from: finished) else {
            throw FileError(path: start.vae, reason: "the architecture may differ from that of \(start.vae) only in decoder_refiner")
        }
    }

    private static func fit(of start: Start) throws(FileError) -> FittedQuantizer? {
        guard let folder = start.fit else { return nil }
        let fit = try FittedQuantizer(folder)
        try fit.check(belongsTo: start.vae, named: folder)
        return fit
    }

    private static func validate(_ index: PictureIndex, _ options: Options) throws(FileError) {
        guard let problem = index.parts(options.split).problem else { return }
        throw FileError(path: options.images, reason: "\(options.images) holds \(problem); use more pictures, or another --split")
    }

    private static func validate(_ options: Options, _ ranks: RankGroup) throws(FileError) {
        func check(_ holds: Bool, _ reason: @autoclosure () -> String) throws(FileError) {
            guard holds else { throw FileError(path: options.images, reason: reason()) }
        }
        let (training, factor) = (options.training, options.architecture.factor)
        if let problem = training.problem { throw FileError(path: options.images, reason: problem) }
        try check(
            ranks.count <= training.shards, "\(ranks.count) ranks cannot share \(training.shards) shards: --shards is at least the number of ranks")
        try check(options.range == nil || ranks.count == 1, "--lr-range is tried by one process, not by \(ranks.count) ranks")
        try check((1...8192).contains(options.size), "the image size is in 1...8192, not \(options.size)")
        try check(
            (1...options.size).contains(options.crop) && options.crop % factor == 0,
            "crops are at most \(options.size) pixels and a multiple of the autoencoder's factor \(factor), not \(options.crop)")
        try check(
            options.scale.map { $0 > 1 && $0 <= 16 } ?? true, "--scale is in 1...16, not \(options.scale ?? 1)")
        try check(
            training.loss?.perceptual.isEmpty ?? true || options.crop >= PerceptualTrunk.smallestSide,
            "a perceptual network takes crops of \(PerceptualTrunk.smallestSide) pixels at least, not \(options.crop)")
        try check(options.size % factor == 0, "images of \(options.size) pixels are not a multiple of the factor \(factor)")
        try check(
            options.start?.fit == nil || training.part != .all && training.latentBits == nil,
            "what tokens stand for is settled: behind them only the decoder is trained, and no test channel stands for them")
        try check((1...1 << 24).contains(options.measureEvery), "--measure-every is in 1...\(1 << 24), not \(options.measureEvery)")
        do throws(MemoryShortage) {
            try AutoencoderMemory(options.architecture).checkTraining(imageSize: options.crop, batch: training.batch, within: .machine)
        } catch {
            throw FileError(path: options.images, reason: "\(error)")
        }
    }

    /// Trains to the last step, or until a stop is requested, which is asked before every step; saves at least every `saveInterval`.
    /// - Parameters:
    ///   - limit: ends the run for now, at the next step after it.
    ///   - events: a folder for TensorBoard's copy of the log.
    ///   - measured: called after each measurement, when log and ``PictureSheets`` have it.
    /// - Returns: whether the run is complete; then `vae/` in the run's folder holds the result.
    package func run(
        saveEvery saveInterval: Duration, until limit: TimeLimit? = nil, events: String? = nil,
        isStopRequested: () -> Bool = { StopSignal.isRequested }, measured: () throws(FileError) -> Void = {}
    ) throws(FileError) -> Bool {
        if try ranks.decided({ () throws(FileError) in try isFinished() ? 1 : 0 }) == 1 { return true }
        let parts = ranks.isFirst ? try record() : index.parts(options.split)
        console.say("split \(options.split): \(parts.summary)")
        var (trainer, best) = try begin()
        guard ranks.isFirst else {
            try assist(&trainer, until: limit, isStopRequested)
            return trainer.step == options.training.steps
        }
        // Before the first step there is a measurement, which is made anew.
        let log = try TrainingLog(directory.logPath, resumedAt: trainer.step == 0 ? -1 : trainer.step, events: events)
        let steps = options.training.steps
        var timer = SaveTimer(every: saveInterval)
        var smoothedLoss: Double?
        if trainer.step == 0 {
            try measure(trainer, log, &best)
            try measured()
        }
        console.begin(total: steps, start: trainer.step, unit: "step")
        while trainer.step < steps && !ranks.any(limit?.isOver == true || isStopRequested()) {
            let loss = try advance(&trainer)
            smoothedLoss = smoothedLoss.map { $0 * 0.98 + loss * 0.02 } ?? loss
            try log.append(step: trainer.step, images: options.training.batch, trainer.figures(loss: loss))
            console.update(
                done: trainer.step, figures: ["PSNR \(Figure.text(PeakSignalToNoise.decibels(meanSquaredError: smoothedLoss! * 127.5 * 127.5))) dB"])
            if trainer.step % options.measureEvery == 0 {
                let found = try measure(trainer, log, &best)
                try measured()
                if options.training.adversary != nil { try watch(found, trainer, best, log, parts) }
            }
            if timer.isDue() { try save(trainer, best, log) }
        }
        try save(trainer, best, log)
        guard trainer.step == steps else {
            console.say("saved at step \(trainer.step) of \(steps)")
            return false
        }
        // A candidate of its own, which the saved state does not know: a run that is extended chooses as one that was longer from the start.
        if steps % options.measureEvery != 0 { try measure(trainer, log, &best) }
        try report(trainer, log)
        try measured()
        try publish(trainer.average, best, steps, parts)
        return true
    }

    /// Makes the trainer, from nothing or from what an earlier call has saved.
    private func begin() throws(FileError) -> (AutoencoderTrainer, best: BestAutoencoder?) {
        let step = try ranks.decided { () throws(FileError) in try states.newest()?.step ?? -1 }
        let begun = try ranks.together { () throws(FileError) in try startOrResume(step < 0 ? nil : step) }
        try ranks.agree(on: [("weights that begin otherwise", begun.0.model.digest)])
        return begun
    }

    /// One step of all ranks.
    /// - Returns: the loss.
    /// - Throws: when it is no number any more.
    private func advance(_ trainer: inout AutoencoderTrainer) throws(FileError) -> Double {
        let loss = trainer.train(on: try crops(step: trainer.step, own: trainer.ownCrops))
        guard loss.isFinite else {
            return try ranks.together { () throws(FileError) in throw directory.divergence(step: trainer.step) }
        }
        return loss
    }

    /// What every rank but the first does: the steps.
    private func assist(_ trainer: inout AutoencoderTrainer, until limit: TimeLimit?, _ isStopRequested: () -> Bool) throws(FileError) {
        while trainer.step < options.training.steps && !ranks.any(limit?.isOver == true || isStopRequested()) {
            _ = try advance(&trainer)
        }
    }

    /// What one step is taken on, or this rank's part of it; complaints about pictures are passed on.
    func crops(step: Int, own: Range<Int>? = nil) throws(FileError) -> Tensor {
        defer { sayComplaints() }
        return try sampler(side: options.crop).crops(count: options.training.batch, step: step, own: own)
    }

    private func sampler(side: Int) -> CropSampler {
        CropSampler(lessons, among: places(.training), side: side, scale: options.scale, seed: options.seed)
    }

    /// - Parameter step: of the saved state; nil where there is none.
    private func startOrResume(_ step: Int?) throws(FileError) -> (AutoencoderTrainer, best: BestAutoencoder?) {
        guard let step else { return (try firstTrainer(), nil) }
        let tensors = try states.tensors(step: step)
        console.say("going on at step \(step)")
        if let earlier = directory.grownFrom["options.training.steps"], step > 0 {
            let isSame = options.training.schedule.decay == .constant
            console.say("--steps grows from \(earlier): \(isSame ? Schedule.remarkOnEquality : Schedule.remarkOnDecay)")
        }
        let trainer = try AutoencoderTrainer(
            options.architecture, tokens: tokens, loss: loss, options: options.training, seed: options.seed, step: step,
            ranks: ranks, restoring: tensors)
        return (trainer, try BestAutoencoder(options.architecture, restoring: tensors))
    }

    /// Before the first step.
    func firstTrainer() throws(FileError) -> AutoencoderTrainer {
        if let start = options.start {
            let model = Autoencoder(options.architecture, extending: try Autoencoder(directory: start.vae), .random(seed: options.seed))
            if let tokens {
                return AutoencoderTrainer(model, tokens: tokens, loss: loss, options: options.training, seed: options.seed, ranks: ranks)
            }
            return AutoencoderTrainer(
                model, variances: try variances(of: model), loss: loss, options: options.training, seed: options.seed, ranks: ranks)
        }
        var model = Autoencoder(options.architecture, .random(seed: options.seed))
        var variances = [Double](repeating: 1, count: options.architecture.latentChannels)
        if options.architecture.family is PatchCodeConfiguration { variances = try startFromPrincipalComponents(&model) }
        return AutoencoderTrainer(model, variances: variances, loss: loss, options: options.training, seed: options.seed, ranks: ranks)
    }

    /// - Returns: the variance that each latent channel carries.
    private func startFromPrincipalComponents(_ model: inout Autoencoder) throws(FileError) -> [Double] {
        let pixels = try sampler(side: options.size).crops(count: Self.basisImages, step: 0)
        let basis = PatchBasis(
            patches: Autoencoder.patches(of: pixels, factor: options.architecture.factor),
            components: options.architecture.latentChannels, seed: options.seed)
        // One scale for all, so that an error of any latent is an equal error of the pixels: a gradient step then moves none of them by
        // more than it is worth, and the decoder sees most of what matters most.
        let scale = (Double(basis.variances.count) / basis.variances.reduce(0, +)).squareRoot()
        model.setPatchCode(mean: basis.mean, basis: basis.components, scale: scale)
        return basis.variances
    }

    /// What each latent channel of a finished autoencoder carries; all alike where the family does not scale them alike.
    private func variances(of model: Autoencoder) throws(FileError) -> [Double] {
        let channels = options.architecture.latentChannels
        guard options.training.latentBits != nil, options.architecture.family is PatchCodeConfiguration else {
            return [Double](repeating: 1, count: channels)
        }
        let z = model.encoder(try sampler(side: options.crop).crops(count: min(Self.basisImages, options.training.batch * 8), step: 0)).values
        return (0..<channels).map { channel in
            let values = stride(from: channel, to: z.count, by: channels).map { Double(z[$0]) }
            let mean = values.reduce(0, +) / Double(values.count)
            return max(1e-12, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
        }
    }

    private func save(_ trainer: AutoencoderTrainer, _ best: BestAutoencoder?, _ log: TrainingLog) throws(FileError) {
        try log.sync()
        try states.save(trainer.state + (best?.state ?? []), step: trainer.step, keeping: options.training.adversary.flatMap { _ in best?.step })
    }

    /// Keeps the best state of a run with an adversary, and goes back to it once that has run away with the pictures.
    /// - Throws: when it has; then the best weights are published, and the best state is the newest.
    private func watch(
        _ found: BestAutoencoder?, _ trainer: AutoencoderTrainer, _ best: BestAutoencoder?, _ log: TrainingLog, _ parts: PictureParts
    ) throws(FileError) {
        guard let found, let best else { return }
        if best.step == trainer.step { return try save(trainer, best, log) }
        guard best.hasCollapsed(to: found) else { return }
        try states.rollBack(to: best.step)
        try publish(best, parts)
        throw FileError(
            directory.path,
            "the discriminator has run away with the pictures: \(said(found)) on the choosing part at step \(found.step), \(said(best)) at step "
                + "\(best.step), to which this goes back; those weights are in \(Self.resultName)\(Self.bestEnding): start another run from them "
                + "with a lower --adversarial-weight or --discriminator-learning-rate")
    }
}
