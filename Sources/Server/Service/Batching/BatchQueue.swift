import Compute
import Threads

/// The queue between connections and compute: a ``BatchScheduler`` that threads share, and the thread that runs its batches.
final class BatchQueue: Sendable {
    /// One request's work. `begin` is called where its batch begins, `completion` once, on the compute thread, and must return at once; it is not called for an item
    /// that is released before its batch forms.
    struct Item: Sendable {
        let engine: any Engine
        let operation: Operation
        let input: EngineInput
        /// Of the model's own size, pictures with as many pixels.
        var places = 1
        var begin: @Sendable () -> Void = {}
        let completion: @Sendable (Result<EngineOutput, EngineFailure>) -> Void
    }

    private struct State {
        var scheduler: BatchScheduler<Item>
        /// Of the batch that runs.
        var interruption = Interruption()
        var isClosed = false
    }

    private let state: Monitor<State>
    private let thread: DedicatedThread

    /// - Parameters:
    ///   - watchdog: is told of every batch while it runs.
    ///   - metrics: is told of every batch when it has run.
    /// - Throws: where the system has no room for its thread.
    init(limits: BatchScheduler<Item>.Limits, watchdog: Watchdog, metrics: ServiceMetrics) throws(SystemError) {
        let state = Monitor(State(scheduler: BatchScheduler(limits: limits)))
        self.state = state
        thread = try DedicatedThread {
            while let (batch, interruption) = Self.nextBatch(state) {
                let items = batch.entries.map(\.item)
                items.forEach { $0.begin() }
                let start = ContinuousClock.now
                let results = watchdog.watching(.batch(batch.group.operation, items: items.count)) {
                    ComputeContext.with(\.interruption, interruption) { items[0].engine.runEach(batch.group.operation, items.map(\.input)) }
                }
                let duration = start.duration(to: .now)
                state.withoutWaking {
                    $0.scheduler.recordEnd(of: batch.group, items: items.count, duration: duration, isWhole: !interruption.isSet)
                }
                metrics.ran(batch.group.operation, items: items.count, reason: batch.reason, wasInterrupted: interruption.isSet)
                for (item, result) in zip(items, results) { item.completion(result) }
            }
        }
    }

    /// Requests admitted and not yet released.
    var backlog: Int { state.withoutWaking { $0.scheduler.backlog } }

    /// The places that those of one operation take, and how long the oldest of them has waited for a batch.
    func load(of operation: Operation) -> (slots: Int, oldestWait: Duration) {
        state.withoutWaking { state in
            let now = ContinuousClock.now
            return (state.scheduler.backlog(of: operation), state.scheduler.oldestWaiting(of: operation)?.duration(to: now) ?? .zero)
        }
    }

    /// Refuses what would get no slot now.
    func refuseIfOverloaded(_ operation: Operation, within limit: Duration) throws(Overload) {
        try state.withoutWaking { state throws(Overload) in try state.scheduler.refuseIfOverloaded(operation, within: limit, now: .now) }
    }

    /// Takes a slot for a new request. Whoever takes it releases it.
    /// - Parameter limit: how long its client will wait.
    func admit(_ operation: Operation, within limit: Duration) throws(Overload) -> Ticket {
        try state.withoutWaking { state throws(Overload) in try state.scheduler.admit(operation, within: limit, now: .now) }
    }

    /// Takes slots for the other items of a request that has one, all of them or none. Whoever takes them releases them.
    /// - Parameter places: of each item, the first one among them.
    func admit(_ count: Int, beside ticket: Ticket, places: Int) throws(Overload) -> [Ticket] {
        try state.withoutWaking { state throws(Overload) in try state.scheduler.admit(count, beside: ticket, places: places, now: .now) }
    }

    /// Hands over an admitted request's work.
    /// - Returns: false if the request has been released meanwhile.
    func enqueue(_ item: Item, for ticket: Ticket) -> Bool {
        let group = BatchScheduler<Item>.Group(operation: item.operation, engine: ObjectIdentifier(item.engine), places: item.places)
        return state.withLock { $0.scheduler.enqueue(item, for: ticket, in: group, now: .now) }
    }

    /// Frees a request's slot, at whatever stage it is. Where nobody waits any more for the batch that runs, it ends early.
    func release(_ ticket: Ticket, wasAnswered: Bool) {
        // The item leaves the lock before it is dropped: its completion may own the last reference to what calls this again.
        let dropped = state.withoutWaking { state in
            let release = state.scheduler.release(ticket, wasAnswered: wasAnswered, now: .now)
            if release.abandonsBatch { state.interruption.set() }
            return release.item
        }
        _ = dropped
    }

    /// Runs what waits, then ends the thread. Nothing may be enqueued afterwards.
    func close() {
        state.withLock { $0.isClosed = true }
        thread.join()
    }

    private static func nextBatch(_ state: Monitor<State>) -> (BatchScheduler<Item>.Batch, Interruption)? {
        state.wait { state in
            // A closing queue does not wait for companions.
            if let batch = state.scheduler.takeBatch(now: .now, isClosing: state.isClosed) {
                state.interruption = Interruption()
                return .done((batch, state.interruption))
            }
            return state.isClosed ? .done(nil) : .wait(until: state.scheduler.nextBatchDue)
        }
    }
}
