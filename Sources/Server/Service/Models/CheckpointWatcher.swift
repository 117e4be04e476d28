import Files
import Logging
import Synchronization
import Threads

/// Turns a version's folder into something that runs, or says why it cannot.
typealias EngineLoader = @Sendable (_ path: String) throws -> any Engine

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
    private let load: EngineLoader
    private let state = Mutex(State())
    private let isStopping = Monitor(false)

    init(folder: String, registry: ModelRegistry, logger: Logger, load: @escaping EngineLoader) {
        self.folder = folder
        self.registry = registry
        self.logger = logger
        self.load = load
    }

    /// Looks every `interval` until it is stopped. Blocks; a load that is in progress is finished.
    func run(every interval: Duration) {
        repeat {
            while !isStopping.withLock({ $0 }), step() {}
            withdraw()
        } while !sleep(for: interval)
    }

    func stop() {
        isStopping.withLock { $0 = true }
    }

    /// Loads the next checkpoint that should be served.
    /// - Returns: false if there was none.
    func step() -> Bool {
        guard let found = scan(), let candidate = state.withLock({ $0.plan.next(found) }) else { return false }
        let start = ContinuousClock.now
        do {
            let engine = try load(candidate.path)
            registry.serve(engine, as: candidate.model)
            state.withLock { $0.plan.didServe(candidate) }
            let hundredths = (start.duration(to: .now) / .milliseconds(10)).rounded()
            logger.info(
                "checkpoint loaded",
                metadata: metadata(candidate).merging([
                    "step": "\(engine.facts.version)", "fingerprint": "\(engine.facts.fingerprint)", "seconds": "\(hundredths / 100)",
                ]) { $1 })
        } catch {
            state.withLock { $0.plan.didFail(candidate) }
            logger.error("checkpoint refused", metadata: metadata(candidate).merging(["reason": "\(error)"]) { $1 })
        }
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

    /// - Returns: whether it was stopped.
    private func sleep(for interval: Duration) -> Bool {
        let end = ContinuousClock.now + interval
        return isStopping.wait { isStopping in
            if isStopping { return .done(true) }
            return ContinuousClock.now >= end ? .done(false) : .wait(until: end)
        }
    }
}
