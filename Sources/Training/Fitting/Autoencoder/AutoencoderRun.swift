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
        /// The sides of the training crops.
        package var crop: CropSides
        /// Crops are cut from whole images, whose shorter side is resized to ``size`` times a number from 1 to this; nil to cut them from squares.
        package var scale: Double?
        /// What is done to crops besides; nil for nothing.
        package var augmentations: [CropAugmentation]?
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
            images: String, size: Int, crop: CropSides, scale: Double = 1, augmentations: [CropAugmentation] = [], split: Split = .usual,
            seed: UInt64, measureEvery: Int = 500,
            architecture: AutoencoderConfiguration, start: Start? = nil, range: LearningRateRange? = nil, training: AutoencoderTrainer.Options
        ) {
            (self.images, self.size, self.crop, self.split, self.seed) = (images, size, crop, split, seed)
            self.scale = scale == 1 ? nil : scale
            self.augmentations = augmentations.isEmpty ? nil : augmentations
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
    struct Record: Encodable {
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
    static let basisImages = 1024

    let options: Options
    /// To measure with, and to learn from.
    let images, lessons: SquareImages
    let index: PictureIndex
    let fit: FittedQuantizer?
    let tokens: TokenChannel?
    let loss: PictureLoss
    package let directory: RunDirectory
    let states: TrainingStates
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
            return try RunDirectory(
                path, options: inputs.record, growth: Self.growth, isCache: { [PictureParts.fileName, PictureSheets.name].contains($0) })
        }
        states = TrainingStates(of: directory)
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
        if trainer.step == 0 { try look(trainer, log, &best, parts, measured) }
        console.begin(total: steps, start: trainer.step, unit: "step")
        while trainer.step < steps && !ranks.any(limit?.isOver == true || isStopRequested()) {
            let loss = try advance(&trainer)
            smoothedLoss = smoothedLoss.map { $0 * 0.98 + loss * 0.02 } ?? loss
            try log.append(step: trainer.step, images: options.training.batch, trainer.figures(loss: loss))
            console.update(
                done: trainer.step, figures: ["PSNR \(Figure.text(PeakSignalToNoise.decibels(meanSquaredError: smoothedLoss! * 127.5 * 127.5))) dB"])
            if trainer.step % options.measureEvery == 0 { try look(trainer, log, &best, parts, measured) }
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
        try publish(trainer.average, trainer.codebooks, best, steps, parts)
        return true
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
        return try sampler(side: options.crop.side(step: step, seed: options.seed)).crops(count: options.training.batch, step: step, own: own)
    }

    private func save(_ trainer: AutoencoderTrainer, _ best: BestAutoencoder?, _ log: TrainingLog) throws(FileError) {
        try log.sync()
        try states.save(trainer.state + (best?.state ?? []), step: trainer.step, keeping: options.training.adversary.flatMap { _ in best?.step })
    }

    /// Measures, and shows it.
    private func look(
        _ trainer: AutoencoderTrainer, _ log: TrainingLog, _ best: inout BestAutoencoder?, _ parts: PictureParts,
        _ measured: () throws(FileError) -> Void
    ) throws(FileError) {
        let found = try measure(trainer, log, &best)
        try measured()
        if options.training.adversary != nil { try watch(found, trainer, best, log, parts) }
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
