import Compute
import Files
import Jobs
import Networks
import TokenizerCore

/// `revq-train fit`: makes codebooks and a rectifier for cached latents, and goes on where an earlier call was interrupted.
package struct QuantizerRun {
    /// How the codebooks are found.
    package enum Method: String, Codable, Sendable, CaseIterable {
        /// The paper's: gradient steps together with the rectifier's.
        case adam
        /// Lloyd's algorithm; then gradient steps for the rectifier alone.
        case lloyd
    }

    package struct Options: Codable, Equatable, Sendable {
        /// A folder that `revq-train extract` filled.
        package var latents: String
        /// The autoencoder's folder: what a weighted distortion is measured through; with it pictures are measured too.
        package var vae: String?
        package var method: Method
        package var quantizer: QuantizerOptions
        /// Passes of Lloyd's algorithm over the latents.
        package var passes: Int
        /// Epochs of gradient steps.
        package var epochs: Int
        package var batch: Int
        package var learningRate: Float
        package var gradient: GradientOptions
        package var reset: CodebookReset
        package var rectifier: RectifierConfiguration
        /// The last so many images are not trained on but measure the result.
        package var heldOut: Int
        package var seed: UInt64

        /// This program's own way: Lloyd's algorithm, one codebook for all tokens, no rectifier.
        package init(
            latents: String, vae: String? = nil, method: Method = .lloyd,
            quantizer: QuantizerOptions = QuantizerOptions(tokens: 512, codes: 16_384, sharing: .one), passes: Int = 20, epochs: Int = 100,
            batch: Int = 256, learningRate: Float = 0.01, gradient: GradientOptions = .published, reset: CodebookReset = .distortion,
            rectifier: RectifierConfiguration = .none, heldOut: Int = 64, seed: UInt64 = 0
        ) {
            (self.latents, self.vae, self.method, self.quantizer) = (latents, vae, method, quantizer)
            (self.passes, self.epochs, self.batch, self.learningRate, self.gradient) = (passes, epochs, batch, learningRate, gradient)
            (self.reset, self.rectifier, self.heldOut, self.seed) = (reset, rectifier, heldOut, seed)
        }

        /// Finds the codebooks by another method, with the passes and the reset that go with it.
        package mutating func change(method: Method) {
            guard method != self.method else { return }
            let usual = Options(latents: latents)
            self.method = method
            (passes, reset) = method == .lloyd ? (usual.passes, usual.reset) : (passes, .code)
        }
    }

    /// What `config.json` of the run holds.
    private struct Record: Encodable {
        var command = "fit"
        var options: Options
        var latents: FileDigest
    }

    /// The folder in the run's that holds the result.
    package static let resultName = "fit"

    /// Over the latents: more is a slip of the finger, and would not be counted in steps.
    private static let mostPasses = 1_000_000
    /// More than any collection of pictures has.
    private static let mostHeldOut = 1 << 40

    private let options: Options
    private let store: LatentStore
    private let vae: AutoencoderDC?
    private let directory: RunDirectory
    private let states: TrainingStates
    private let console: Console

    /// Opens the run at `path`, new or begun.
    /// - Throws: when the options are impossible, the latents incomplete, or the folder belongs to another run.
    package init(_ path: String, options: Options, console: Console) throws(FileError) {
        try Self.check(options, path)
        store = try LatentStore(options.latents)
        guard options.heldOut < store.rows else {
            throw FileError(
                path: store.directory, reason: "\(store.directory) holds \(store.rows) latents; \(options.heldOut) held out leave none to train on")
        }
        do {
            try options.quantizer.check(store.latentShape, images: store.rows - options.heldOut, hasAutoencoder: options.vae != nil)
            try options.rectifier.validate(for: store.latentShape)
        } catch {
            throw FileError(path: path, reason: "\(error)")
        }
        vae = if let folder = options.vae { try store.autoencoder(folder) } else { nil }
        self.options = options
        self.console = console
        directory = try RunDirectory(
            path, options: Record(options: options, latents: store.identity))
        states = TrainingStates(of: directory)
    }

    /// Refuses numbers that are impossible whatever the latents are, before anything is computed from them.
    private static func check(_ options: Options, _ path: String) throws(FileError) {
        let limits = [
            ("passes", options.passes, 0...mostPasses), ("epochs", options.epochs, 0...mostPasses),
            ("batch", options.batch, 1...QuantizerTrainer.mostBatchImages), ("held-out", options.heldOut, 1...mostHeldOut),
        ]
        for (name, value, range) in limits where !range.contains(value) {
            throw FileError(path: path, reason: "--\(name) is in \(range), not \(value)")
        }
        let problem = options.gradient.problem(batch: options.batch, movesCodes: options.method == .adam, rectifier: options.rectifier)
        if let problem { throw FileError(path: path, reason: problem) }
        guard (0...1).contains(options.learningRate) else {
            throw FileError(path: path, reason: "--learning-rate is in 0...1, not \(options.learningRate)")
        }
    }

    /// Trains to the end, or until a stop is requested, which is asked before every step and inside those that take long; saves at least
    /// every `saveInterval`. A pass that a stop cuts short is done again later.
    /// - Returns: whether the run is complete; then `fit/` in the run's folder holds the result.
    package func run(
        saveEvery saveInterval: Duration, isStopRequested: () -> Bool = { StopSignal.isRequested }
    ) throws(FileError) -> Bool {
        if try isFinished() { return true }
        let all = try store.load()
        let split = all.n - options.heldOut
        guard let design = try design(all.images(0..<split), isStopRequested) else { return false }
        let latents = design.normalizer.normalize(consume all)
        let begun = try states.newest()
        let found = try FitSession(
            options, design, shape: store.latentShape, training: latents.images(0..<split), heldOut: latents.images(split..<latents.n),
            begun: begun, isStopRequested: isStopRequested)
        guard var session = found else { return false }
        if let begun { console.say("going on at step \(begun.step)") }
        let log = try TrainingLog(directory.logPath, resumedAt: session.step)
        var timer = SaveTimer(every: saveInterval)
        var alarms = EpochAlarms()
        // Images, not steps: a pass of Lloyd's algorithm and a gradient step take different times, an image about the same.
        console.begin(total: session.images(inSteps: session.totalSteps), start: session.images(inSteps: session.step), unit: "images")
        while session.step < session.totalSteps && !isStopRequested() {
            guard let values = session.advance(isStopRequested: isStopRequested) else { break }
            guard values.values.allSatisfy(\.isFinite) else { throw .divergence(directory.path, step: session.step) }
            try log.append(.init(step: session.step, values: values))
            for warning in alarms.warnings(values) { console.say(warning) }
            console.update(
                done: session.images(inSteps: session.step), figures: values.keys.sorted().map { "\($0) \(Figure.text(values[$0]!))" })
            if timer.isDue() { try save(session, log) }
        }
        try save(session, log)
        guard session.step == session.totalSteps else { return false }
        try publish(session, design, latents)
        return true
    }

    /// Whether an earlier call has published the result; then it says so.
    private func isFinished() throws(FileError) -> Bool {
        guard try StoredFolder.names(in: directory.path).contains(Self.resultName) else { return false }
        let quality = try FittedQuantizer("\(directory.path)/\(Self.resultName)").description.quality
        let figures = quality.map { ": held-out MSE \(Figure.text($0.quantizedMSE)) quantised, \(Figure.text($0.rectifiedMSE)) rectified" }
        console.say("finished before\(figures ?? "")")
        return true
    }

    /// - Parameter raw: latents to learn from.
    private func design(_ raw: Tensor, _ isStopRequested: () -> Bool) throws(FileError) -> QuantizerDesign? {
        let kept = KeptSensitivity(in: directory.path)
        let known = try kept.read(elements: QuantizerDesign.box(for: options.quantizer.grouping, store.latentShape).count)
        let design: QuantizerDesign?
        do throws(GroupQuantizer.LayoutError) {
            design = try QuantizerDesign(
                options.quantizer, training: raw, shape: store.latentShape, decoder: vae.map { DecoderProbe($0.decoder, at: raw) },
                sensitivity: known, seed: options.seed, progress: showDecodes, isStopRequested: isStopRequested)
        } catch {
            throw FileError(path: directory.path, reason: error.description)
        }
        if known == nil, let measured = design?.sensitivity { try kept.write(measured) }
        return design
    }

    private func showDecodes(_ done: Int, of total: Int) {
        if done == 0 { console.begin(total: total, unit: "decodes") }
        console.update(done: done)
    }

    private func save(_ session: FitSession, _ log: TrainingLog) throws(FileError) {
        try log.sync()
        try states.save(session.state, step: session.step)
    }

    /// - Parameter latents: all of them, normalised.
    private func publish(_ session: FitSession, _ design: QuantizerDesign, _ latents: Tensor) throws(FileError) {
        let (quality, training) = (session.heldOutQuality, session.trainingQuality)
        let split = latents.n - options.heldOut
        let bounds = QuantizerBounds(
            design, latents: latents.images(0..<split).spread(QuantizerDesign.measuredImages), shape: store.latentShape)
        console.say(
            "held-out MSE \(Figure.text(quality.quantizedMSE)) quantised, \(Figure.text(quality.rectifiedMSE)) rectified; "
                + "training \(Figure.text(training.quantizedMSE)), \(Int(training.codebookUse * 100)) % of codes used, "
                + "perplexity \(Figure.text(training.perplexity))")
        console.say("held-out distortion \(Figure.text(quality.distortion)), training \(Figure.text(training.distortion)); \(bounds?.summary ?? "too few images for the bounds")")
        var pictures: PictureQuality?
        if let vae {
            let measured = PictureQuality(
                of: latents.images(split..<latents.n), design.normalizer, session.quantizer, session.rectifier, vae.decoder, shape: store.latentShape)
            console.say(measured.summary)
            pictures = measured
        }
        for alarm in quality.alarms(training: training) { console.say(alarm) }
        let description = FittedQuantizer.Description(
            layout: design.layout, rectifier: options.rectifier, latentShape: store.latentShape, imageSize: store.imageSize,
            vaeWeights: store.manifest.description.vaeWeights, quality: quality, epochs: session.epochs, bounds: bounds, pictures: pictures)
        try FittedQuantizer(description, design.normalizer, session.quantizer, session.rectifier)
            .publish(to: "\(directory.path)/\(Self.resultName)")
    }
}
