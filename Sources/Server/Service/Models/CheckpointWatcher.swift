import Files
import Locks
import Logging
import Threads
import TokenizerCore

/// Turns a version's folder into something that runs, or says why it cannot. It asks again and again whether it shall go on.
typealias EngineLoader = @Sendable (_ path: String, _ goesOn: @escaping @Sendable () -> Bool) throws -> any Engine

/// Tells which version a folder holds without loading it; nil where that does not show.
typealias VersionReader = @Sendable (_ path: String) -> ModelIdentity?

/// Keeps a ``ModelRegistry`` at the newest checkpoints of a folder: looks, loads what should be served, and swaps one reference.
///
/// The folder is looked at every second. Unlike change notifications this works on every file system, network volumes included, and
/// misses nothing; a look costs a few system calls per version.
final class CheckpointWatcher: Sendable {
    private struct State {
        var plan = CheckpointPlan()
        var scanFailure: FileError?
    }

    private let folder: String
    private let registry: ModelRegistry
    private let logger: Logger
    private let metrics: ServiceMetrics
    private let identify: VersionReader
    private let load: EngineLoader
    private let state = Lock(State())
    private let isStopping = Monitor(false)

    init(
        folder: String, registry: ModelRegistry, logger: Logger, metrics: ServiceMetrics = ServiceMetrics(),
        identify: @escaping VersionReader = CheckpointWatcher.manifestIdentity,
        load: @escaping EngineLoader
    ) {
        self.folder = folder
        self.registry = registry
        self.logger = logger
        self.metrics = metrics
        self.identify = identify
        self.load = load
    }

    @Sendable private static func manifestIdentity(_ path: String) -> ModelIdentity? {
        let manifest = try? CheckpointManifest(directory: path)
        return manifest.map { ModelIdentity(version: $0.version, fingerprint: $0.fingerprint) }
    }

    /// Looks every `interval` until it is stopped. Blocks.
    func run(every interval: Duration) {
        repeat {
            while goesOn, step(at: .now) {}
            withdraw()
        } while !isStopping.becomesTrue(within: interval)
    }

    /// Ends looking, and a load that is in progress as soon as it asks.
    func stop() {
        isStopping.withLock { $0 = true }
    }

    private var goesOn: Bool { !isStopping.withLock { $0 } }

    /// Serves the next checkpoint that should be.
    /// - Returns: false if there was none.
    func step(at now: ContinuousClock.Instant) -> Bool {
        registry.releaseUnused()
        guard let found = scan(), let candidate = state.withLock({ $0.plan.next(found, at: now) }) else { return false }
        if serveResident(candidate) { return true }
        do {
            let engine = try load(candidate.path) { self.goesOn }
            registry.serve(engine, as: candidate.model)
            state.withLock { $0.plan.didServe(candidate) }
            metrics.loaded(after: now.duration(to: .now))
            let hundredths = (now.duration(to: .now) / .milliseconds(10)).rounded()
            logger.info(
                "checkpoint loaded",
                metadata: metadata(candidate).merging([
                    "step": "\(engine.facts.version)", "fingerprint": "\(engine.facts.fingerprint)", "seconds": "\(hundredths / 100)",
                ]) { $1 })
        } catch {
            guard goesOn else { return false }
            state.withLock { $0.plan.didFail(candidate, at: now) }
            metrics.refusedCheckpoint()
            logger.error("checkpoint refused", metadata: metadata(candidate).merging(["reason": "\(error)"]) { $1 })
        }
        return true
    }

    /// A version is in memory already when its files were only touched, or when the one that replaced it was removed: nothing is loaded.
    private func serveResident(_ candidate: CheckpointCandidate) -> Bool {
        guard let identity = identify(candidate.path) else { return false }
        switch registry.serveResident(identity, as: candidate.model) {
        case .absent: return false
        case .current: break
        case .earlier: logger.info("earlier checkpoint serves again", metadata: metadata(candidate).merging(["step": "\(identity.version)"]) { $1 })
        }
        state.withLock { $0.plan.didServe(candidate) }
        return true
    }

    /// Stops serving models that have been removed.
    func withdraw() {
        guard let found = scan() else { return }
        for model in state.withLock({ $0.plan.withdraw(found) }) {
            registry.remove(model)
            logger.warning("model removed", metadata: ["model": "\(model)"])
        }
    }

    /// A folder that cannot be read is reported when that begins, and what is being served stays.
    private func scan() -> [CheckpointCandidate]? {
        do throws(FileError) {
            let found = try CheckpointScan.find(in: folder)
            state.withLock { $0.scanFailure = nil }
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

    private func metadata(_ candidate: CheckpointCandidate) -> Logger.Metadata {
        ["model": "\(candidate.model)", "path": "\(candidate.path)"]
    }
}
