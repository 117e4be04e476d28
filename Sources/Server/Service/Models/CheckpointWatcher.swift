import Files
import Locks
import Logging
import Threads
import TokenizerCore

/// Turns a version's folder into something that runs, or says why it cannot. It asks again and again whether it shall go on.
typealias EngineLoader = @Sendable (_ path: String, _ goesOn: @escaping @Sendable () -> Bool) throws -> any Engine

/// Tells which version a folder holds without loading it; nil where that does not show.
typealias VersionReader = @Sendable (_ path: String) -> ModelIdentity?

/// Keeps a ``ModelRegistry`` at the checkpoints of a folder: looks, loads what should be served, and swaps one reference.
///
/// The folder is looked at whenever the system says that it has changed, and every second: that works on every file system, network volumes
/// included, and misses nothing; a look costs a few system calls per version. All that is done to models is done here, one thing after
/// another: what a trial has shown and what an operator orders is carried out at the next look, which is at once.
final class CheckpointWatcher: Sendable {
    private struct State {
        var plan: CheckpointPlan
        /// At the last look.
        var found: [CheckpointCandidate] = []
        var scanFailure: FileError?
        var isStopping = false
    }

    private let folder: String
    private let registry: ModelRegistry
    private let trials: CanaryTrials
    private let changes: FolderChanges
    private let logger: Logger
    private let metrics: ServiceMetrics
    private let identify: VersionReader
    private let load: EngineLoader
    private let state: Lock<State>

    /// - Throws: where the system has no more file descriptors.
    init(
        folder: String, registry: ModelRegistry, trials: CanaryTrials = CanaryTrials(.init()), logger: Logger,
        metrics: ServiceMetrics = ServiceMetrics(), identify: @escaping VersionReader = CheckpointWatcher.manifestIdentity,
        load: @escaping EngineLoader
    ) throws(SystemError) {
        changes = try FolderChanges()
        self.folder = folder
        self.registry = registry
        self.trials = trials
        self.logger = logger
        self.metrics = metrics
        self.identify = identify
        self.load = load
        state = Lock(State(plan: CheckpointPlan(hasTrials: trials.policy.share > 0)))
    }

    @Sendable private static func manifestIdentity(_ path: String) -> ModelIdentity? {
        let manifest = try? CheckpointManifest(directory: path)
        return manifest.map { ModelIdentity(version: $0.version, fingerprint: $0.fingerprint) }
    }

    /// Looks whenever something has changed, and every `interval`, until it is stopped. Blocks.
    func run(every interval: Duration) {
        changes.follow(folder)
        while goesOn {
            while goesOn, step(at: .now) {}
            withdraw()
            for model in Set(state.withLock { $0.found }.map(\.model)) { changes.follow("\(folder)/\(model)") }
            if goesOn { changes.wait(within: interval) }
        }
    }

    /// Has it look at once.
    func wake() { changes.wake() }

    /// Ends looking, and a load that is in progress as soon as it asks.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake()
    }

    private var goesOn: Bool { state.withLock { !$0.isStopping } }

    // MARK: Looking

    /// Does the next thing that is to be done.
    /// - Returns: false if there was none.
    func step(at now: ContinuousClock.Instant) -> Bool {
        registry.releaseUnused()
        settleTrials()
        guard let found = scan(), let step = state.withLock({ $0.plan.next(found, at: now) }) else { return false }
        switch step {
        case .remove(let model):
            remove(model)
            logger.warning("model unloaded", metadata: ["model": "\(model)"])
        case .endTrial(let model):
            endTrial(of: model)
            metrics.endedTrial(.withdrawn)
            logger.info("canary withdrawn", metadata: ["model": "\(model)"])
        case .unload(let candidate):
            unload(candidate)
        case .load(let candidate, let role):
            if !serveResident(candidate, as: role) { load(candidate, as: role, at: now) }
        }
        return goesOn
    }

    private func load(_ candidate: CheckpointCandidate, as role: VersionRole, at now: ContinuousClock.Instant) {
        do {
            let engine = try load(candidate.path) { self.goesOn && self.state.withLock { $0.plan.wants(candidate) } }
            let isServed = state.withLock { state in
                // An order may have come meanwhile.
                guard state.plan.wants(candidate) else { return false }
                registry.serve(engine, as: candidate.model, role)
                state.plan.didServe(candidate, as: role)
                return true
            }
            guard isServed else { return }
            if role == .canary { beginTrial(of: candidate.model) }
            metrics.loaded(after: now.duration(to: .now))
            let hundredths = (now.duration(to: .now) / .milliseconds(10)).rounded()
            logger.info(
                role == .canary ? "canary loaded" : "checkpoint loaded",
                metadata: metadata(candidate).merging([
                    "step": "\(engine.facts.version)", "fingerprint": "\(engine.facts.fingerprint)", "seconds": "\(hundredths / 100)",
                ]) { $1 })
        } catch {
            guard state.withLock({ !$0.isStopping && $0.plan.wants(candidate) }) else { return }
            state.withLock { $0.plan.didFail(candidate, at: now) }
            metrics.refusedCheckpoint()
            logger.error("checkpoint refused", metadata: metadata(candidate).merging(["reason": "\(error)"]) { $1 })
        }
    }

    /// A version is in memory already when its files were only touched, or when the one that replaced it was removed: nothing is loaded.
    private func serveResident(_ candidate: CheckpointCandidate, as role: VersionRole) -> Bool {
        guard let identity = identify(candidate.path) else { return false }
        let isStable = (try? registry.find(candidate.model))?.facts.identity == identity
        switch registry.serveResident(identity, as: candidate.model, role) {
        case .absent: return false
        case .current: break
        case .earlier:
            if role == .canary { beginTrial(of: candidate.model) }
            logger.info(
                role == .canary ? "earlier checkpoint is a canary" : "earlier checkpoint serves again",
                metadata: metadata(candidate).merging(["step": "\(identity.version)"]) { $1 })
        }
        state.withLock { $0.plan.didServe(candidate, as: isStable ? .stable : role) }
        return true
    }

    /// Stops serving models that have been removed.
    func withdraw() {
        guard let found = scan() else { return }
        for model in state.withLock({ $0.plan.withdraw(found) }) {
            remove(model)
            logger.warning("model removed", metadata: ["model": "\(model)"])
        }
    }

    private func remove(_ model: String) {
        trials.end(of: model)
        registry.remove(model)
        state.withLock { $0.plan.didRemove(model) }
    }

    private func unload(_ candidate: CheckpointCandidate) {
        let identity = identify(candidate.path)
        if registry.canary(of: candidate.model)?.facts.identity == identity {
            trials.end(of: candidate.model)
            metrics.endedTrial(.withdrawn)
        }
        let wasThere = identity.map { registry.unload($0, of: candidate.model) } ?? false
        state.withLock { $0.plan.didUnload(candidate) }
        if wasThere { logger.info("checkpoint unloaded", metadata: metadata(candidate)) }
    }

    /// A folder that cannot be read is reported when that begins, and what is being served stays.
    private func scan() -> [CheckpointCandidate]? {
        do throws(FileError) {
            let found = try CheckpointScan.find(in: folder)
            state.withLock { ($0.found, $0.scanFailure) = (found, nil) }
            return found
        } catch {
            let isNew = state.withLock { state in
                defer { state.scanFailure = error }
                return state.scanFailure != error
            }
            if isNew { logger.error("\(error)") }
            return nil
        }
    }

    // MARK: Trials

    private func beginTrial(of model: String) {
        guard let stable = try? registry.find(model), let canary = registry.canary(of: model) else { return }
        trials.begin(stable, beside: canary)
    }

    private func endTrial(of model: String) {
        trials.end(of: model)
        registry.endTrial(of: model, isPromoted: false)
        state.withLock { $0.plan.didEndTrial(of: model) }
    }

    /// Carries out what trials have come to.
    private func settleTrials() {
        for (canary, figures, isPromoted) in trials.decided {
            trials.end(of: canary.name)
            registry.endTrial(of: canary.name, isPromoted: isPromoted)
            state.withLock { $0.plan.didDecide(of: canary.name, isPromoted: isPromoted) }
            metrics.endedTrial(isPromoted ? .promoted : .rolledBack)
            let metadata: Logger.Metadata = ["model": "\(canary.name)", "step": "\(canary.facts.version)", "figures": "\(figures.summary)"]
            if isPromoted {
                logger.info("canary promoted", metadata: metadata)
            } else {
                logger.warning("canary rolled back", metadata: metadata)
            }
        }
    }

    // MARK: Orders

    /// Takes an order, which is carried out at once by the thread that looks.
    /// - Parameter model: nil for all.
    /// - Throws: where it cannot be carried out.
    func take(_ order: ModelOrder, for model: String?) throws(ModelError) {
        // Outside, because what holds for trials is behind a lock of its own.
        let isDecided =
            switch (order, model) {
            case (.rollback, let model?): trials.rollBack(model)
            case (.promote, let model?): trials.promote(model)
            default: false
            }
        if !isDecided { try edit(order, model) }
        wake()
    }

    private func edit(_ order: ModelOrder, _ model: String?) throws(ModelError) {
        try state.withLock { state throws(ModelError) in
            let found = state.found
            guard let model else { return state.plan.retry() }
            switch order {
            case .reload: state.plan.retry()
            case .rollback: try state.plan.rollBack(model, found)
            case .promote:
                _ = try state.plan.known(model, found)
                throw .conflict("\"\(model.shortened)\" has no canary")
            case .pin(let version): try state.plan.pin(model, to: version, found)
            case .unpin: try state.plan.unpin(model, found)
            case .load(let version): try state.plan.load(model, version: version, found)
            case .unload(let version): try state.plan.unload(model, version: version, found)
            }
        }
    }

    /// What holds for a model.
    func standing(of model: String) throws(ModelError) -> ModelStanding {
        try state.withLock { state throws(ModelError) in try state.plan.known(model, state.found) }
    }

    private func metadata(_ candidate: CheckpointCandidate) -> Logger.Metadata {
        ["model": "\(candidate.model)", "path": "\(candidate.path)"]
    }
}
