import Logging

/// Turns a version's folder into something that runs, or says why it cannot.
typealias EngineLoader = @Sendable (_ path: String) throws -> any Engine

/// Looks into a folder of checkpoints, loads what should be served, and swaps one reference. Used by one thread.
final class CheckpointFollower {
    let folder: String
    let registry: ModelRegistry
    let logger: Logger
    let load: EngineLoader
    private var plan = CheckpointPlan()
    private var scanFailure: ScanError?

    init(folder: String, registry: ModelRegistry, logger: Logger, load: @escaping EngineLoader) {
        self.folder = folder
        self.registry = registry
        self.logger = logger
        self.load = load
    }

    /// Loads the next checkpoint that should be served.
    /// - Returns: false if there was none.
    func step() -> Bool {
        guard let candidate = scan().flatMap({ plan.next($0) }) else { return false }
        let start = ContinuousClock.now
        do {
            let engine = try load(candidate.path)
            registry.serve(engine, as: candidate.model)
            plan.didServe(candidate)
            logger.info("checkpoint loaded", metadata: metadata(candidate).merging([
                "step": "\(engine.facts.version)", "fingerprint": "\(engine.facts.fingerprint)",
                "seconds": "\(start.duration(to: .now).seconds.rounded(toPlaces: 2))",
            ]) { $1 })
        } catch {
            plan.didFail(candidate)
            logger.error("checkpoint refused", metadata: metadata(candidate).merging(["reason": "\(error)"]) { $1 })
        }
        return true
    }

    /// A folder that cannot be read is reported when that begins, and what is being served stays.
    private func scan() -> [CheckpointCandidate]? {
        do throws(ScanError) {
            let found = try CheckpointScan.find(in: folder)
            scanFailure = nil
            return found
        } catch {
            if error != scanFailure { logger.error("\(error)") }
            scanFailure = error
            return nil
        }
    }

    private func metadata(_ candidate: CheckpointCandidate) -> Logger.Metadata {
        ["model": "\(candidate.model)", "path": "\(candidate.path)"]
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
