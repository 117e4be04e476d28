import Compute
import Files
import Images
import Jobs
import Networks
import Pictures
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
        /// Which images are trained on, and which measure the model.
        package var split: Split
        package var seed: UInt64
        package var architecture: AutoencoderConfiguration
        /// What to go on from; nil to start anew.
        package var start: Start?
        package var training: AutoencoderTrainer.Options

        package init(
            images: String, size: Int, crop: Int, split: Split = .usual, seed: UInt64, architecture: AutoencoderConfiguration, start: Start? = nil,
            training: AutoencoderTrainer.Options
        ) {
            (self.images, self.size, self.crop, self.split, self.seed) = (images, size, crop, split, seed)
            (self.architecture, self.start, self.training) = (architecture, start, training)
        }
    }

    /// A finished autoencoder and a quantiser fitted to its latents, on whose tokens its decoder is trained further.
    package struct Start: Codable, Equatable, Sendable {
        /// A folder of the diffusers layout, of the run's architecture but for the refiner.
        package var vae: String
        /// What `revq-train fit` made.
        package var fit: String

        package init(vae: String, fit: String) {
            (self.vae, self.fit) = (vae, fit)
        }
    }

    /// What `config.json` of the run holds.
    private struct Record: Encodable {
        var command = "vae"
        var options: Options
        var imagesSignature: String
        var fit: FileDigest?
    }

    /// The folder in the run's that holds the result, in the diffusers layout.
    package static let resultName = "vae"
    /// Beside it, where a quantiser was given: the same for the trained decoder.
    package static let fitName = "fit"
    private static let growth = RunDirectory.Growth(of: ["options.training.steps"], replacing: [resultName, fitName])
    /// Images from which the patch code's principal components are found.
    private static let basisImages = 1024

    /// Held-out images that a save measures, and that the end of training does.
    private static let (mostWatched, mostReported) = (16, 64)

    private let options: Options
    /// To measure with, and to learn from.
    private let images, lessons: SquareImages
    private let index: PictureIndex
    private let fit: FittedQuantizer?
    private let tokens: TokenChannel?
    private let directory: RunDirectory
    private let states: TrainingStates
    private let console: Console

    /// Opens the run at `path`, new or begun.
    /// - Throws: when the options are impossible, the images cannot be used, or the folder belongs to another run.
    package init(_ path: String, options: Options, console: Console) throws(FileError) {
        let source = try ImageSource(options.images)
        try Self.validate(options)
        index = PictureIndex(source, console)
        try Self.validate(index, options)
        self.options = options
        self.console = console
        images = SquareImages(source, size: options.size)
        lessons = SquareImages(source, size: options.size, isReduced: true)
        // The same remarks on the source.
        _ = images.takeComplaints()
        fit = try options.start.map { start throws(FileError) in try Self.fit(of: start, for: options.architecture) }
        tokens = try fit.map { fit throws(FileError) in try TokenChannel(fit, imageSizes: [options.crop, options.size]) }
        directory = try RunDirectory(
            path,
            options: Record(
                options: options, imagesSignature: String(source.signature, radix: 16),
                fit: try options.start.map { start throws(FileError) in try FittedQuantizer.digest(of: start.fit) }),
            growth: Self.growth, isCache: { $0 == PictureParts.fileName })
        states = TrainingStates(of: directory)
    }

    private static func fit(of start: Start, for architecture: AutoencoderConfiguration) throws(FileError) -> FittedQuantizer {
        let fit = try FittedQuantizer(start.fit)
        try fit.check(belongsTo: start.vae, named: start.fit)
        let finished = try AutoencoderConfiguration(contentsOf: "\(start.vae)/\(Autoencoder.configurationName)")
        guard architecture.differsOnlyInRefiner(from: finished) else {
            throw FileError(path: start.vae, reason: "the architecture may differ from that of \(start.vae) only in decoder_refiner")
        }
        return fit
    }

    private static func validate(_ index: PictureIndex, _ options: Options) throws(FileError) {
        guard let problem = index.parts(options.split).problem else { return }
        throw FileError(path: options.images, reason: "\(options.images) holds \(problem); use more pictures, or another --split")
    }

    private static func validate(_ options: Options) throws(FileError) {
        func check(_ holds: Bool, _ reason: @autoclosure () -> String) throws(FileError) {
            guard holds else { throw FileError(path: options.images, reason: reason()) }
        }
        let (training, factor) = (options.training, options.architecture.factor)
        if let problem = training.problem { throw FileError(path: options.images, reason: problem) }
        try check((1...8192).contains(options.size), "the image size is in 1...8192, not \(options.size)")
        try check(
            (1...options.size).contains(options.crop) && options.crop % factor == 0,
            "crops are at most \(options.size) pixels and a multiple of the autoencoder's factor \(factor), not \(options.crop)")
        try check(options.size % factor == 0, "images of \(options.size) pixels are not a multiple of the factor \(factor)")
        try check(
            options.start == nil || training.isDecoderOnly && training.latentBits == nil,
            "what tokens stand for is settled: behind them only the decoder is trained, and no test channel stands for them")
        do throws(MemoryShortage) {
            try AutoencoderMemory(options.architecture).checkTraining(imageSize: options.crop, batch: training.batch, within: .machine)
        } catch {
            throw FileError(path: options.images, reason: "\(error)")
        }
    }

    /// Trains to the last step, or until a stop is requested, which is asked before every step; saves at least every `saveInterval`.
    /// - Returns: whether the run is complete; then `vae/` in the run's folder holds the result.
    package func run(
        saveEvery saveInterval: Duration, isStopRequested: () -> Bool = { StopSignal.isRequested }
    ) throws(FileError) -> Bool {
        let parts = try record()
        console.say("split \(options.split): \(parts.summary)")
        var trainer = try startOrResume()
        let log = try TrainingLog(directory.logPath, resumedAt: trainer.step)
        let sampler = CropSampler(lessons, among: places(.training), side: options.crop, seed: options.seed)
        var timer = SaveTimer(every: saveInterval)
        var smoothedLoss: Double?
        console.begin(total: options.training.steps, start: trainer.step, unit: "step")
        while trainer.step < options.training.steps && !isStopRequested() {
            let loss = trainer.train(on: try sampler.crops(count: options.training.batch, step: trainer.step))
            guard loss.isFinite else { throw directory.divergence(step: trainer.step) }
            smoothedLoss = smoothedLoss.map { $0 * 0.98 + loss * 0.02 } ?? loss
            try log.append(step: trainer.step, images: options.training.batch, ["loss": loss, "gradient_norm": trainer.gradientNorm])
            sayComplaints()
            console.update(
                done: trainer.step, figures: ["PSNR \(Figure.text(PeakSignalToNoise.decibels(meanSquaredError: smoothedLoss! * 127.5 * 127.5))) dB"])
            if timer.isDue() { try save(trainer, log) }
        }
        try save(trainer, log)
        guard trainer.step == options.training.steps else { return false }
        try report(trainer, log)
        try publish(trainer.average, parts)
        return true
    }

    private func places(_ part: Split.Part) -> [Int] { index.places(part, of: options.split) }

    /// Notes down which pictures this run is made with, those of what it starts from included.
    /// - Returns: the same.
    private func record() throws(FileError) -> PictureParts {
        var parts = index.parts(options.split)
        if let start = options.start, let known = try PictureParts.joined([start.vae, start.fit]) {
            let count = Set(parts.choosing + parts.reporting).intersection(known.seen).count - Set(parts.choosing).intersection(known.choosing).count
            if count > 0 {
                console.say(
                    "warning: \(start.vae) and \(start.fit) were made with \(count) of the pictures that are held out here, split \(known.split) there: "
                        + "use one --split for all steps")
            }
            parts.join(known)
        }
        try parts.write(to: directory.path)
        return parts
    }

    private func startOrResume() throws(FileError) -> AutoencoderTrainer {
        if let (step, tensors) = try states.newest() {
            console.say("going on at step \(step)")
            if let earlier = directory.grownFrom["options.training.steps"], step > 0 {
                console.say(
                    "--steps grows from \(earlier): the learning rate fell towards the earlier end, so that a run that was as long from the start gives something else"
                )
            }
            return try AutoencoderTrainer(
                options.architecture, tokens: tokens, options: options.training, seed: options.seed, step: step, restoring: tensors)
        }
        if let start = options.start, let tokens {
            let model = Autoencoder(options.architecture, extending: try Autoencoder(directory: start.vae), .random(seed: options.seed))
            return AutoencoderTrainer(model, tokens: tokens, options: options.training, seed: options.seed)
        }
        var model = Autoencoder(options.architecture, .random(seed: options.seed))
        var variances = [Double](repeating: 1, count: options.architecture.latentChannels)
        if options.architecture.family is PatchCodeConfiguration { variances = try startFromPrincipalComponents(&model) }
        return AutoencoderTrainer(model, variances: variances, options: options.training, seed: options.seed)
    }

    /// - Returns: the variance that each latent channel carries.
    private func startFromPrincipalComponents(_ model: inout Autoencoder) throws(FileError) -> [Double] {
        let side = options.size
        let sampler = CropSampler(lessons, among: places(.training), side: side, seed: options.seed)
        let pixels = try sampler.crops(count: Self.basisImages, step: 0)
        let basis = PatchBasis(
            patches: Autoencoder.patches(of: pixels, factor: options.architecture.factor),
            components: options.architecture.latentChannels, seed: options.seed)
        // One scale for all, so that an error of any latent is an equal error of the pixels: a gradient step then moves none of them by
        // more than it is worth, and the decoder sees most of what matters most.
        let scale = (Double(basis.variances.count) / basis.variances.reduce(0, +)).squareRoot()
        model.setPatchCode(mean: basis.mean, basis: basis.components, scale: scale)
        return basis.variances
    }

    private func save(_ trainer: AutoencoderTrainer, _ log: TrainingLog) throws(FileError) {
        let watched = index.sample(Self.mostWatched, of: places(.choosing))
        if let whole = psnr(watched, { trainer.average($0) }), let throughChannel = psnr(watched, trainer.reconstruction) {
            try log.append(step: trainer.step, ["held_out_psnr": whole.mean, "held_out_channel_psnr": throughChannel.mean])
            console.say(
                "step \(trainer.step): held-out PSNR \(whole.decibels), \(throughChannel.decibels) through the channel; choosing part, "
                    + Figure.count(whole.pictures, "picture"))
        }
        try log.sync()
        try states.save(trainer.state, step: trainer.step)
    }

    /// Measures the result on pictures that nothing was done with before.
    private func report(_ trainer: AutoencoderTrainer, _ log: TrainingLog) throws(FileError) {
        let average = trainer.average
        guard let reported = psnr(index.sample(Self.mostReported, of: places(.reporting)), { average($0) }),
            let learned = psnr(index.sample(Self.mostReported, of: places(.training)), in: lessons, { average($0) })
        else { return }
        try log.append(step: trainer.step, ["reporting_psnr": reported.mean, "training_psnr": learned.mean])
        console.say(
            "PSNR \(reported.decibels), reporting part, \(Figure.count(reported.pictures, "picture")); \(learned.decibels) of "
                + "\(learned.pictures) that were trained on; 95 % intervals")
        if let low = reported.low, low > (learned.high ?? learned.mean) {
            console.say(
                "warning: pictures that were not trained on come out better than those that were: they are unlike each other, or too few, and the "
                    + "figure says little about others")
        }
    }

    private func sayComplaints() {
        for complaint in lessons.takeComplaints() + images.takeComplaints() { console.say(complaint) }
    }

    /// The mean over whole images; nil where none can be read.
    private func psnr(_ places: [Int], in pictures: SquareImages? = nil, _ reconstruct: (Tensor) -> Tensor) -> PictureMean? {
        let read = places.compactMap { place in (pictures ?? images).image(at: place).map { (place, $0) } }
        sayComplaints()
        guard !read.isEmpty else { return nil }
        let values = read.map { _, image in
            let drawn = PixelBatch(reconstruct(PixelBatch(images: [image]).pixels)).images()[0]
            return min(PictureFidelity.perfectPSNR, PeakSignalToNoise.decibels(drawn, image))
        }
        return PictureMean(values, of: read.map { index.keys[$0.0] })
    }

    private func publish(_ model: Autoencoder, _ parts: PictureParts) throws(FileError) {
        let result = "\(directory.path)/\(Self.resultName)"
        let present = try StoredFolder.names(in: directory.path)
        if !present.contains(Self.resultName) { try publish(model, parts, to: result) }
        if let fit, !present.contains(Self.fitName) { try fit.drawn(by: result).publish(to: "\(directory.path)/\(Self.fitName)") }
    }

    private func publish(_ model: Autoencoder, _ parts: PictureParts, to result: String) throws(FileError) {
        let staged = try StagedFolder(for: result)
        try StoredFile.write(JSONFile.bytes(options.architecture), to: "\(staged.path)/\(Autoencoder.configurationName)")
        // Half precision halves the file; what is fitted to this autoencoder reads the same rounded weights that are served. But what is
        // fitted already needs the encoder as it is.
        let precision: SafetensorsWriter.Precision = fit == nil || model.encoder.isHalfPrecise ? .float16 : .float32
        try model.save(to: "\(staged.path)/\(Autoencoder.weightsName)", precision: precision)
        try parts.write(to: staged.path)
        try staged.publish()
    }
}

extension Parameterized {
    /// Whether half precision holds every weight exactly.
    fileprivate var isHalfPrecise: Bool {
        tensors.allSatisfy { $0.tensor.values.allSatisfy { Float(Float16($0)) == $0 } }
    }
}
