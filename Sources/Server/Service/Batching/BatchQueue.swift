import Threads

/// The queue between connections and compute: a ``BatchScheduler`` that threads share, and the thread that runs its batches.
final class BatchQueue: Sendable {
    /// One request's work. `completion` is called once, on the compute thread, and must return at once; it is not called for an item
    /// that is released before its batch forms.
    struct Item: Sendable {
        let engine: any Engine
        let operation: Operation
        let input: EngineInput
        let completion: @Sendable (Result<EngineOutput, EngineFailure>) -> Void
    }

    private struct State {
        var scheduler: BatchScheduler<Item>
        var isClosed = false
    }

    private let state: Monitor<State>
    private let thread: DedicatedThread

    /// - Throws: where the system has no room for its thread.
    init(limits: BatchScheduler<Item>.Limits) throws(SystemError) {
        let state = Monitor(State(scheduler: BatchScheduler(limits: limits)))
        self.state = state
        thread = try DedicatedThread { Self.run(state) }
    }

    /// Requests admitted and not yet released.
    var backlog: Int { state.withLock { $0.scheduler.backlog } }

    /// Why a request would get no slot now, if so.
    var overload: Overload? { state.withLock { $0.scheduler.overload } }

    /// Takes a slot for a new request. Whoever takes it releases it.
    func admit() throws(Overload) -> Ticket {
        try state.withLock { state throws(Overload) in try state.scheduler.admit() }
    }

    /// Hands over an admitted request's work.
    /// - Returns: false if the request has been released meanwhile.
    func enqueue(_ item: Item, for ticket: Ticket) -> Bool {
        let group = BatchScheduler<Item>.Group(operation: item.operation, engine: ObjectIdentifier(item.engine))
        return state.withLock { $0.scheduler.enqueue(item, for: ticket, in: group, now: .now) }
    }

    /// Frees a request's slot, at whatever stage it is.
    func release(_ ticket: Ticket) {
        // The item leaves the lock before it is dropped: its completion may own the last reference to what calls this again.
        let dropped = state.withLock { $0.scheduler.release(ticket) }
        _ = dropped
    }

    /// Runs what waits, then ends the thread. Nothing may be enqueued afterwards.
    func close() {
        state.withLock { $0.isClosed = true }
        thread.join()
    }

    private static func run(_ state: Monitor<State>) {
        while let batch = nextBatch(state) {
            let items = batch.entries.map(\.item)
            let start = ContinuousClock.now
            let results = items[0].engine.runEach(batch.group.operation, items.map(\.input))
            let duration = start.duration(to: .now)
            state.withLock { $0.scheduler.record(items: items.count, duration: duration) }
            for (item, result) in zip(items, results) { item.completion(result) }
        }
    }

    private static func nextBatch(_ state: Monitor<State>) -> BatchScheduler<Item>.Batch? {
        state.wait { state in
            // A closing queue does not wait for companions.
            let now = state.isClosed ? ContinuousClock.now + state.scheduler.limits.maxDelay : .now
            if let batch = state.scheduler.takeBatch(now: now) { return .done(batch) }
            return state.isClosed ? .done(nil) : .wait(until: state.scheduler.nextBatchDue)
        }
    }
}
