import Compute
import Files
import Jobs
import Networks
import Ranks
import TokenizerCore

/// `revq-train fit`: makes codebooks and a rectifier for cached latents, and goes on where an earlier call was interrupted.
package struct QuantizerRun {
    /// What `config.json` of the run holds.
    private struct Record: Encodable {
        var command = "fit"
        var options: Options
        var latents: FileDigest
        /// Of the networks that a rectifier is trained by.
        var perceptual: [FileDigest]?
    }

    /// The folder in the run's that holds the result.
    package static let resultName = "fit"

    private static let growth = RunDirectory.Growth(of: ["options.passes", "options.epochs"], replacing: [resultName])

    let options: Options
    let store: LatentStore
    let parts: LatentParts
    let vae: Autoencoder?
    private let drawn: PictureLoss?
    package let directory: RunDirectory
    private let states: TrainingStates
    private let ranks: RankGroup
    let console: Console

    /// Opens the run at `path`, new or begun.
    /// - Parameter ranks: who fits together: the first writes and speaks, all read the latents and the saved states.
    /// - Throws: when the options are impossible, the latents incomplete, or the folder belongs to another run; on all ranks, where it is so on
    ///   one, or where they have been given different things.
    package init(_ path: String, options: Options, console: Console, ranks: RankGroup = .alone) throws(FileError) {
        let inputs = try ranks.together { () throws(FileError) in try Inputs(options, path) }
        try ranks.agree(
            on: JobFacts.common + [("other options", JobFacts.digest(options)), ("other latents", inputs.store.identity.sha256)]
                + [("other perceptual networks", JobFacts.digest(inputs.perceptual))])
        (store, parts, vae, drawn) = (inputs.store, inputs.parts, inputs.vae, inputs.drawn)
        (self.options, self.console, self.ranks) = (options, console, ranks)
        let record = Record(options: options, latents: store.identity, perceptual: inputs.perceptual)
        directory = try ranks.together { () throws(FileError) in
            guard ranks.isFirst else { return RunDirectory(openedElsewhere: path) }
            return try RunDirectory(path, options: record, growth: Self.growth)
        }
        states = TrainingStates(of: directory)
    }
}

/// What a run reads, held against its options.
private struct Inputs {
    let store: LatentStore
    let parts: LatentParts
    let vae: Autoencoder?
    /// What a rectifier is trained by in pictures, and the files of its networks; nil where it is not.
    let drawn: PictureLoss?
    let perceptual: [FileDigest]?

    init(_ options: QuantizerRun.Options, _ path: String) throws(FileError) {
        if let problem = options.problem { throw FileError(path: path, reason: problem) }
        store = try LatentStore(options.latents)
        parts = try store.parts()
        do {
            try options.quantizer.check(store.latentShape, images: parts[.training].count, hasAutoencoder: options.vae != nil)
            try options.rectifier.validate(for: store.latentShape)
        } catch {
            throw FileError(path: path, reason: "\(error)")
        }
        vae = if let folder = options.vae { try store.autoencoder(folder) } else { nil }
        drawn = try options.gradient.drawn.map { options throws(FileError) in try PictureLoss(options) }
        perceptual = try options.gradient.drawn.map { options throws(FileError) in try options.digests() }
        if let drawn, let vae { try Self.check(drawn, vae, imageSize: store.imageSize, path) }
    }

    private static func check(_ drawn: PictureLoss, _ vae: Autoencoder, imageSize: Int, _ path: String) throws(FileError) {
        guard drawn.networks.isEmpty || imageSize >= PerceptualTrunk.smallestSide else {
            throw FileError(
                path: path, reason: "a perceptual network takes pictures of \(PerceptualTrunk.smallestSide) pixels at least, not \(imageSize)")
        }
        do throws(MemoryShortage) {
            // Each thread draws a picture of its own.
            try AutoencoderMemory(vae.configuration).checkTraining(
                imageSize: imageSize, batch: ComputeContext.current.threads, beside: drawn.floatsPerPixel, within: .machine)
        } catch {
            throw FileError(path: path, reason: "\(error)")
        }
    }
}

extension QuantizerRun {
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
        if try ranks.decided({ () throws(FileError) in try isFinished() ? 1 : 0 }) == 1 { return true }
        guard let (start, design) = try begin(isStopRequested) else { return false }
        var session = start
        let plan = FitPlan(options, images: parts[.training].count)
        guard ranks.isFirst else {
            try assist(&session, plan, until: limit, isStopRequested)
            guard session.step == plan.totalSteps else { return false }
            _ = Learned(session)
            return true
        }
        for (name, earlier) in directory.grownFrom.sorted(by: { $0.key < $1.key }) { console.say(remark(on: name, earlier, session.step)) }
        let log = try TrainingLog(directory.logPath, resumedAt: session.step, events: events)
        var timer = SaveTimer(every: saveInterval)
        var alarms = EpochAlarms()
        // Images, not steps: a pass of Lloyd's algorithm and a gradient step take different times, an image about the same.
        console.begin(total: plan.images(inSteps: plan.totalSteps), start: plan.images(inSteps: session.step), unit: "image")
        while session.step < plan.totalSteps && !ranks.any(limit?.isOver == true || isStopRequested()) {
            let before = plan.images(inSteps: session.step)
            guard let values = try advance(&session, isStopRequested) else { break }
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
        try publish(session, design, Learned(session))
        return true
    }

    /// Reads the latents, and what an earlier call has saved.
    /// - Returns: nil when a stop was requested meanwhile.
    private func begin(_ isStopRequested: () -> Bool) throws(FileError) -> (FitSession, QuantizerDesign)? {
        for line in [store.ageWarning, parts.summary, try overlapWarning()] { if let line { console.say(line) } }
        let shares = LatentShares(of: parts, ranks)
        let raw = try ranks.together { () throws(FileError) in try store.load(rows: shares.rows) }
        let found = try design(shares.training(raw), isStopRequested)
        guard !ranks.any(found == nil), let design = found else { return nil }
        let latents = design.normalizer.normalize(consume raw)
        let (training, choosing, reporting) = (shares.training(latents), shares.whole(.choosing, latents), shares.whole(.reporting, latents))
        let step = try ranks.decided { () throws(FileError) in try states.newest()?.step ?? -1 }
        let begun = try ranks.together { () throws(FileError) -> SafetensorsFile? in try step < 0 ? nil : states.tensors(step: step) }
        // What was saved, each reads by itself; codes that are chosen anew, they choose together.
        let readers = begun == nil ? RankGroup.alone : ranks
        let session = try readers.together { () throws(FileError) in
            try FitSession(
                FitPlan(options, images: training.count), design, training: training, choosing: choosing, reporting: reporting,
                loss: rectifierLoss(design.normalizer), begun: begun,
                isStopRequested: isStopRequested)
        }
        guard !ranks.any(session == nil), let session else { return nil }
        try ranks.agree(on: [("codes that begin otherwise", session.quantizer.codebooks.digest)])
        if step >= 0 { console.say("going on at step \(session.step)") }
        return (session, design)
    }

    private func rectifierLoss(_ normalizer: LatentNormalizer) -> RectifierLoss {
        guard let drawn, let vae else { return .latents }
        return .pictures(DrawnDifference(vae.decoder, normalizer, drawn))
    }

    /// One step of all ranks.
    /// - Throws: when its figures are no numbers any more.
    private func advance(_ session: inout FitSession, _ isStopRequested: () -> Bool) throws(FileError) -> [String: Double]? {
        guard let values = session.advance(isStopRequested: isStopRequested) else { return nil }
        guard values.values.allSatisfy(\.isFinite) else {
            return try ranks.together { () throws(FileError) in throw directory.divergence(step: session.step) }
        }
        return values
    }

    /// What every rank but the first does: the steps.
    private func assist(_ session: inout FitSession, _ plan: FitPlan, until limit: TimeLimit?, _ isStopRequested: () -> Bool) throws(FileError) {
        while session.step < plan.totalSteps && !ranks.any(limit?.isOver == true || isStopRequested()) {
            guard try advance(&session, isStopRequested) != nil else { return }
        }
    }

    /// A warning where the autoencoder was trained on pictures that the result will be measured on: then they are easier for it than others.
    private func overlapWarning() throws(FileError) -> String? {
        guard let folder = options.vae, let own = parts.pictures, let known = try PictureParts.read(from: folder) else { return nil }
        let count = Set(own.choosing + own.reporting).intersection(known.training).count
        guard count > 0 else { return nil }
        return
            "warning: \(folder) was trained on \(count) of the \(Figure.count(own.choosing.count + own.reporting.count, "picture")) to choose by and "
            + "to report on, split \(known.split) there: use one --split for all steps"
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
    private func design(_ raw: SharedLatents, _ isStopRequested: () -> Bool) throws(FileError) -> QuantizerDesign? {
        let kept = KeptSensitivity(in: directory.path)
        // All of them before the first writes it: what was measured and what was kept differ by rounding.
        let known = try ranks.together { () throws(FileError) in
            try kept.read(elements: QuantizerDesign.box(for: options.quantizer.grouping, store.latentShape).count)
        }
        let design: QuantizerDesign?
        do throws(GroupQuantizer.LayoutError) {
            design = try QuantizerDesign(
                options.quantizer, training: raw, decoder: vae.map { DecoderProbe($0.decoder, at: raw.spread(DecoderSensitivity.images)) },
                sensitivity: known, seed: options.seed, progress: showDecodes, isStopRequested: isStopRequested)
        } catch {
            throw FileError(path: directory.path, reason: error.description)
        }
        if ranks.isFirst, known == nil, let measured = design?.sensitivity { try kept.write(measured) }
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
}
