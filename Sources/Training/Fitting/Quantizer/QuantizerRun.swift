import Compute
import Files
import Jobs
import Networks
import TokenizerCore

/// `revq-train fit`: makes codebooks and a rectifier for cached latents, and goes on where an earlier call was interrupted.
package struct QuantizerRun {
    /// What `config.json` of the run holds.
    private struct Record: Encodable {
        var command = "fit"
        var options: Options
        var latents: FileDigest
    }

    /// The folder in the run's that holds the result.
    package static let resultName = "fit"

    private static let growth = RunDirectory.Growth(of: ["options.passes", "options.epochs"], replacing: [resultName])

    private let options: Options
    private let store: LatentStore
    private let vae: Autoencoder?
    package let directory: RunDirectory
    private let states: TrainingStates
    private let console: Console

    /// Opens the run at `path`, new or begun.
    /// - Throws: when the options are impossible, the latents incomplete, or the folder belongs to another run.
    package init(_ path: String, options: Options, console: Console) throws(FileError) {
        if let problem = options.problem { throw FileError(path: path, reason: problem) }
        store = try LatentStore(options.latents)
        guard options.heldOut < store.rows else {
            throw FileError(
                path: store.directory,
                reason: "\(store.directory) holds \(Figure.count(store.rows, "latent")); \(options.heldOut) held out leave none to train on")
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
        directory = try RunDirectory(path, options: Record(options: options, latents: store.identity), growth: Self.growth)
        states = TrainingStates(of: directory)
    }

    /// Trains to the end, or until a stop is requested, which is asked before every step and inside those that take long; saves at least
    /// every `saveInterval`. A pass that a stop cuts short is done again later.
    /// - Parameters:
    ///   - limit: ends the run for now, at the next step after it.
    ///   - events: a folder for TensorBoard's copy of the log.
    /// - Returns: whether the run is complete; then `fit/` in the run's folder holds the result.
    package func run(
        saveEvery saveInterval: Duration, until limit: TimeLimit? = nil, events: String? = nil,
        isStopRequested: () -> Bool = { StopSignal.isRequested }
    ) throws(FileError) -> Bool {
        if try isFinished() { return true }
        let all = try store.load()
        let split = all.count - options.heldOut
        guard let design = try design(all.images(0..<split), isStopRequested) else { return false }
        let latents = design.normalizer.normalize(consume all)
        let begun = try states.newest()
        let plan = FitPlan(options, images: split)
        let found = try FitSession(
            plan, design, training: latents.images(0..<split), heldOut: latents.images(split..<latents.count),
            begun: begun?.tensors, isStopRequested: isStopRequested)
        guard var session = found else { return false }
        if begun != nil { console.say("going on at step \(session.step)") }
        for (name, earlier) in directory.grownFrom.sorted(by: { $0.key < $1.key }) { console.say(remark(on: name, earlier, session.step)) }
        let log = try TrainingLog(directory.logPath, resumedAt: session.step, events: events)
        var timer = SaveTimer(every: saveInterval)
        var alarms = EpochAlarms()
        // Images, not steps: a pass of Lloyd's algorithm and a gradient step take different times, an image about the same.
        console.begin(total: plan.images(inSteps: plan.totalSteps), start: plan.images(inSteps: session.step), unit: "image")
        while session.step < plan.totalSteps && limit?.isOver != true && !isStopRequested() {
            let before = plan.images(inSteps: session.step)
            guard let values = session.advance(isStopRequested: isStopRequested) else { break }
            guard values.values.allSatisfy(\.isFinite) else { throw directory.divergence(step: session.step) }
            try log.append(step: session.step, images: plan.images(inSteps: session.step) - before, values)
            for warning in alarms.warnings(values) { console.say(warning) }
            console.update(
                done: plan.images(inSteps: session.step),
                figures: values.keys.filter { !$0.hasSuffix("norm") && $0 != "learning_rate" }.sorted().map { "\($0) \(Figure.text(values[$0]!))" })
            if timer.isDue() { try save(session, log) }
        }
        try save(session, log)
        guard session.step == plan.totalSteps else {
            console.say("saved at step \(session.step) of \(plan.totalSteps)")
            return false
        }
        try publish(session, design, latents)
        return true
    }

    /// What a run that was extended is, beside one that was as long from the start.
    /// - Parameter step: at which it goes on.
    private func remark(on option: String, _ earlier: Int, _ step: Int) -> String {
        let name = option.split(separator: ".").last ?? ""
        let isSame =
            name == "passes"
            ? options.method == .adam || step + LloydTrainer.passesToTheMean <= earlier : options.gradient.schedule.decay == .constant
        let comparison =
            isSame
            ? Schedule.remarkOnEquality
            : name == "passes"
                ? "the last passes ended at the means, which those of a run that was as long from the start do not"
                : Schedule.remarkOnDecay
        return "--\(name) grows from \(earlier): \(comparison)"
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
    private func design(_ raw: Latents, _ isStopRequested: () -> Bool) throws(FileError) -> QuantizerDesign? {
        let kept = KeptSensitivity(in: directory.path)
        let known = try kept.read(elements: QuantizerDesign.box(for: options.quantizer.grouping, store.latentShape).count)
        let design: QuantizerDesign?
        do throws(GroupQuantizer.LayoutError) {
            design = try QuantizerDesign(
                options.quantizer, training: raw, decoder: vae.map { DecoderProbe($0.decoder, at: raw) },
                sensitivity: known, seed: options.seed, progress: showDecodes, isStopRequested: isStopRequested)
        } catch {
            throw FileError(path: directory.path, reason: error.description)
        }
        if known == nil, let measured = design?.sensitivity { try kept.write(measured) }
        return design
    }

    private func showDecodes(_ done: Int, of total: Int) {
        if done == 0 { console.begin(total: total, unit: "decode") }
        console.update(done: done)
    }

    private func save(_ session: FitSession, _ log: TrainingLog) throws(FileError) {
        try log.sync()
        try states.save(session.state, step: session.step)
    }

    /// - Parameter latents: all of them, normalised.
    private func publish(_ session: FitSession, _ design: QuantizerDesign, _ latents: Latents) throws(FileError) {
        let (quality, training) = (session.heldOutQuality, session.trainingQuality)
        let split = latents.count - options.heldOut
        let bounds = QuantizerBounds(design, latents: latents.images(0..<split).spread(QuantizerDesign.measuredImages))
        console.say(
            "held-out MSE \(Figure.text(quality.quantizedMSE)) quantised, \(Figure.text(quality.rectifiedMSE)) rectified; "
                + "training \(Figure.text(training.quantizedMSE)), \(Int(training.codebookUse * 100)) % of codes used, "
                + "perplexity \(Figure.text(training.perplexity))")
        console.say(
            "held-out distortion \(Figure.text(quality.distortion)), training \(Figure.text(training.distortion)); \(bounds?.summary ?? "too few images for the bounds")"
        )
        var pictures: PictureQuality?
        if let vae {
            let measured = PictureQuality(
                of: latents.images(split..<latents.count), design.normalizer, session.quantizer, session.rectifier, vae.decoder)
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
