/// Decides which requests are served together and when, and which are turned away.
///
/// A pure value: it starts no thread and reads no clock; whoever calls it says what time it is. A request holds one *slot* from the
/// moment its body is complete until it is answered or given up, so `maxQueue` bounds everything the service has promised to do:
///
///     admit → (body read, image decoded) → enqueue → (waiting) → takeBatch → (running) → release
///
/// Only items of one group (operation and model version) share a batch. Among the groups that are due, the one whose head has
/// waited longest goes first, and within a group arrival order holds, so no group can starve another.
struct BatchScheduler<Item> {
    typealias Instant = ContinuousClock.Instant

    struct Limits: Sendable, Equatable {
        /// The most items in one batch; at least 1.
        var maxBatch: Int
        /// How long the oldest item waits for companions.
        var maxDelay: Duration
        /// The most slots in use; at least 1.
        var maxQueue: Int
    }

    /// Items that the engine may take in one call.
    struct Group: Hashable, Sendable {
        let operation: Operation
        /// The identity of the engine, which is one version of one model.
        let engine: ObjectIdentifier
    }

    struct Batch {
        let group: Group
        let entries: [(ticket: Ticket, item: Item)]
    }

    private enum Stage: Equatable {
        case preparing
        case waiting(Group)
        case running
    }

    private struct Waiting {
        let ticket: Ticket
        let item: Item
        let since: Instant
    }

    let limits: Limits
    private var slots: [Ticket: Stage] = [:]
    private var queues: [Group: [Waiting]] = [:]
    private var issued: UInt64 = 0
    private var rate = ServiceRate()

    init(limits: Limits) {
        precondition(limits.maxBatch >= 1 && limits.maxQueue >= 1, "a batch and a queue hold at least one item, got \(limits)")
        self.limits = limits
    }

    /// Slots in use: requests admitted and not yet released.
    var backlog: Int { slots.count }

    /// Items that wait for a batch.
    var waitingCount: Int { queues.values.reduce(0) { $0 + $1.count } }

    /// Why ``admit()`` would refuse now, if it would: with the time that the measured service rate needs for the backlog.
    var overload: Overload? {
        slots.count < limits.maxQueue ? nil : Overload(retryAfter: rate.time(toServe: slots.count))
    }

    /// Takes a slot for a new request.
    mutating func admit() throws(Overload) -> Ticket {
        if let overload { throw overload }
        issued += 1
        let ticket = Ticket(number: issued)
        slots[ticket] = .preparing
        return ticket
    }

    /// Puts an admitted request's item into its group's queue.
    /// - Returns: false if the request has given up its slot, or was queued before.
    mutating func enqueue(_ item: Item, for ticket: Ticket, in group: Group, now: Instant) -> Bool {
        guard slots[ticket] == .preparing else { return false }
        slots[ticket] = .waiting(group)
        queues[group, default: []].append(Waiting(ticket: ticket, item: item, since: now))
        return true
    }

    /// Frees a request's slot at whatever stage it is: it has been answered, or nobody waits for the answer any more.
    /// What waits is taken out here, so a batch never contains it. Releasing twice is harmless.
    /// - Returns: the item that waited, if one did.
    mutating func release(_ ticket: Ticket) -> Item? {
        guard case .waiting(let group) = slots.removeValue(forKey: ticket),
            let index = queues[group]?.firstIndex(where: { $0.ticket == ticket }), let waiting = queues[group]?.remove(at: index)
        else { return nil }
        if queues[group]?.isEmpty == true { queues[group] = nil }
        return waiting.item
    }

    /// The batch that should run now, if one is due: a group is due when it fills a batch or its head has waited `maxDelay`.
    mutating func takeBatch(now: Instant) -> Batch? {
        let due = queues.filter { isFull($0.value) || $0.value[0].since + limits.maxDelay <= now }
        guard let (group, queue) = due.min(by: { precedes($0.value[0], $1.value[0]) }) else { return nil }
        let taken = queue.prefix(limits.maxBatch)
        queues[group] = taken.count < queue.count ? Array(queue.dropFirst(taken.count)) : nil
        for waiting in taken { slots[waiting.ticket] = .running }
        return Batch(group: group, entries: taken.map { ($0.ticket, $0.item) })
    }

    /// When ``takeBatch(now:)`` will have something to give if nothing else arrives; nil while nothing waits.
    var nextBatchDue: Instant? {
        queues.values.map { isFull($0) ? $0[0].since : $0[0].since + limits.maxDelay }.min()
    }

    /// Records that `items` kept the engine busy for `duration`.
    mutating func record(items: Int, duration: Duration) {
        rate.record(items: items, duration: duration)
    }

    private func isFull(_ queue: [Waiting]) -> Bool {
        queue.count >= limits.maxBatch
    }

    private func precedes(_ a: Waiting, _ b: Waiting) -> Bool {
        a.since != b.since ? a.since < b.since : a.ticket.number < b.ticket.number
    }
}

/// One admitted request.
struct Ticket: Hashable, Sendable {
    fileprivate let number: UInt64
}

/// No slot is free.
struct Overload: Error, Equatable {
    /// When a slot is likely to be free.
    let retryAfter: Duration
}

/// How fast the engine has been serving lately, as seconds of work per item.
///
/// An exponential average over batches: it follows a change of model or load within some ten batches, and one slow batch does not
/// send clients away for long.
struct ServiceRate: Sendable {
    private static let newestWeight = 0.2
    /// What an item is assumed to cost before the first batch has been measured.
    private static let firstGuess = 0.1

    private(set) var secondsPerItem = ServiceRate.firstGuess
    private var isMeasured = false

    mutating func record(items: Int, duration: Duration) {
        guard items > 0 else { return }
        let measured = duration / .seconds(1) / Double(items)
        secondsPerItem = isMeasured ? secondsPerItem + Self.newestWeight * (measured - secondsPerItem) : measured
        isMeasured = true
    }

    /// The time in which `items` will have been served.
    func time(toServe items: Int) -> Duration {
        .seconds(Double(items) * secondsPerItem)
    }
}
