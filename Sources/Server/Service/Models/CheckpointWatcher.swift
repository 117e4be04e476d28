import Logging

/// Keeps a ``ModelRegistry`` at the newest checkpoints of a folder, on a thread of its own.
///
/// The folder is looked at every second. Unlike change notifications this works on every file system, network volumes included, and
/// misses nothing; a look costs a few system calls per version.
final class CheckpointWatcher: Sendable {
    private let stopping: Monitor<Bool>
    private let thread: ServiceThread

    init(
        folder: String, registry: ModelRegistry, interval: Duration = .seconds(1), logger: Logger, load: @escaping EngineLoader
    ) {
        let stopping = Monitor(false)
        self.stopping = stopping
        thread = ServiceThread {
            let follower = CheckpointFollower(folder: folder, registry: registry, logger: logger, load: load)
            repeat {
                while !stopping.withLock({ $0 }), follower.step() {}
            } while !Self.sleep(for: interval, stopping)
        }
    }

    /// Ends the thread after the load that is in progress.
    func stop() {
        stopping.withLock { $0 = true }
        thread.join()
    }

    /// - Returns: whether the thread should stop.
    private static func sleep(for interval: Duration, _ stopping: Monitor<Bool>) -> Bool {
        let end = ContinuousClock.now + interval
        return stopping.wait { isStopping in
            if isStopping { return .done(true) }
            return ContinuousClock.now >= end ? .done(false) : .wait(until: end)
        }
    }
}
