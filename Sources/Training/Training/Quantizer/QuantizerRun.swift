import TokenizerCore

/// `revq-train fit`: makes codebooks and a rectifier for cached latents, and goes on where an earlier call was interrupted.
public struct QuantizerRun {
    /// How the codebooks are found.
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// The paper's: gradient steps together with the rectifier's.
        case adam
        /// Lloyd's algorithm; then gradient steps for the rectifier alone.
        case lloyd
    }

    public struct Options: Codable, Equatable, Sendable {
        /// A folder that `revq-train extract` filled.
        public var latents: String
        public var method: Method
        public var tokens: Int
        public var codes: Int
        public var codebooks: Int
        /// Passes of Lloyd's algorithm over the latents.
        public var passes: Int
        /// Epochs of gradient steps.
        public var epochs: Int
        public var batch: Int
        public var learningRate: Float
        public var reset: CodebookReset
        public var rectifier: RectifierConfiguration
        /// The last so many images are not trained on but measure the result.
        public var heldOut: Int
        public var seed: UInt64

        public init(
            latents: String, method: Method, tokens: Int, codes: Int, codebooks: Int, passes: Int, epochs: Int, batch: Int,
            learningRate: Float, reset: CodebookReset, rectifier: RectifierConfiguration, heldOut: Int, seed: UInt64
        ) {
            (self.latents, self.method, self.tokens, self.codes, self.codebooks) = (latents, method, tokens, codes, codebooks)
            (self.passes, self.epochs, self.batch, self.learningRate) = (passes, epochs, batch, learningRate)
            (self.reset, self.rectifier, self.heldOut, self.seed) = (reset, rectifier, heldOut, seed)
        }
    }

    /// What `config.json` of the run holds.
    private struct Record: Encodable {
        var command = "fit"
        var options: Options
        var latents: FileDigest
    }

    /// The folder in the run's that holds the result.
    public static let resultName = "fit"

    private let options: Options
    private let store: LatentStore
    private let layout: GroupQuantizer.Layout
    private let directory: RunDirectory
    private let states: TrainingStates
    private let console: Console

    /// Opens the run at `path`, new or begun.
    /// - Throws: when the options are impossible, the latents incomplete, or the folder belongs to another run.
    public init(_ path: String, options: Options, console: Console) throws(FileError) {
        store = try LatentStore(options.latents)
        do {
            layout = try GroupQuantizer.Layout(
                tokens: options.tokens, codes: options.codes, latents: store.latentShape.count, codebooks: options.codebooks)
            try options.rectifier.validate(for: store.latentShape)
        } catch {
            throw FileError(path: path, reason: "\(error)")
        }
        let limits = [("passes", options.passes, 0), ("epochs", options.epochs, 0), ("batch", options.batch, 1), ("held-out", options.heldOut, 1)]
        for (name, value, minimum) in limits where value < minimum {
            throw FileError(path: path, reason: "--\(name) is at least \(minimum), not \(value)")
        }
        guard (0...1).contains(options.learningRate) else {
            throw FileError(path: path, reason: "--learning-rate is in 0...1, not \(options.learningRate)")
        }
        self.options = options
        self.console = console
        directory = try RunDirectory(
            path, options: Record(options: options, latents: try FileDigest(of: "\(options.latents)/\(LatentStore.manifestName)")))
        states = TrainingStates(of: directory)
    }

    /// Trains to the end, or until a stop is requested, which is asked before every step; saves at least every `saveInterval`.
    /// - Returns: whether the run is complete; then `fit/` in the run's folder holds the result.
    public func run(
        saveEvery saveInterval: Duration, isStopRequested: () -> Bool = { StopSignal.isRequested }
    ) throws(FileError) -> Bool {
        let all = try store.load()
        guard options.heldOut < all.n else {
            throw FileError(path: store.directory, reason: "\(store.directory) holds \(all.n) latents; \(options.heldOut) held out leave none to train on")
        }
        let normalizer = LatentNormalizer(fitting: all.images(0..<all.n - options.heldOut))
        let latents = normalizer.normalize(all)
        var session = FitSession(
            options, layout, shape: store.latentShape, training: latents.images(0..<all.n - options.heldOut),
            heldOut: latents.images(all.n - options.heldOut..<all.n))
        if let (step, tensors) = try states.newest() {
            try session.restore(tensors, step: step)
            console.say("going on at step \(step)")
        }
        let log = try TrainingLog(directory.logPath, resumedAt: session.step)
        var timer = SaveTimer(every: saveInterval)
        console.begin(total: session.totalSteps, start: session.step, unit: "steps")
        while session.step < session.totalSteps && !isStopRequested() {
            let values = session.advance()
            guard values.values.allSatisfy(\.isFinite) else { throw .divergence(directory.path, step: session.step) }
            try log.append(.init(step: session.step, values: values))
            console.update(done: session.step, figures: values.keys.sorted().map { "\($0) \(Figure.text(values[$0]!))" })
            if timer.isDue() { try save(session, log) }
        }
        try save(session, log)
        guard session.step == session.totalSteps else { return false }
        try publish(session, normalizer)
        return true
    }

    private func save(_ session: FitSession, _ log: TrainingLog) throws(FileError) {
        try log.sync()
        try states.save(session.state, step: session.step)
    }

    private func publish(_ session: FitSession, _ normalizer: LatentNormalizer) throws(FileError) {
        let (quality, training) = (session.heldOutQuality, session.trainingQuality)
        console.say(
            "held-out MSE \(Figure.text(quality.quantizedMSE)) quantised, \(Figure.text(quality.rectifiedMSE)) rectified; "
                + "training \(Figure.text(training.quantizedMSE)), \(Int(training.codebookUse * 100)) % of codes used, "
                + "perplexity \(Figure.text(training.perplexity))")
        for alarm in quality.alarms(training: training) { console.say(alarm) }
        guard try !StoredFolder.names(in: directory.path).contains(Self.resultName) else { return }
        let description = FittedQuantizer.Description(
            layout: layout, rectifier: options.rectifier, latentShape: store.latentShape, imageSize: store.imageSize,
            vaeWeights: store.manifest.description.vaeWeights, quality: quality)
        try FittedQuantizer(description, normalizer, session.quantizer, session.rectifier).publish(to: "\(directory.path)/\(Self.resultName)")
    }
}
