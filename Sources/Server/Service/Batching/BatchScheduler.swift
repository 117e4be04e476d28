/// Decides which requests are served together and when, and which are turned away.
///
/// A pure value: it starts no thread and reads no clock; whoever calls it says what time it is. A request holds one *slot* from the
/// moment its body is complete until it is answered or given up, so `maxQueue` bounds what the service has promised to do. A picture larger than the
/// model's own takes more *places*, by its pixels, in the queue and in a batch:
///
///     admit → (body read, image decoded) → enqueue → (waiting) → takeBatch → (running) → release
///
/// Every operation has slots of its own, so that a flood of one turns away none of the others. Only items of one group (operation and
/// model version) share a batch. Which operation goes next is decided by what each has had of the engine's time (start-time fair
/// queueing, Goyal, Vin and Cheng 1996): one that has been idle goes next, but saves up nothing. Within an operation the group whose head
/// has waited longest goes first, and within a group arrival order holds, so nothing can starve.
struct BatchScheduler<Item> {
    typealias Instant = ContinuousClock.Instant

    struct Limits: Sendable, Equatable {
        /// The most places of the items in one batch, which may have one item of more; at least 1.
        var maxBatch: Int
        /// How long the oldest item waits for companions, where companions save work.
        var maxDelay: Duration
        /// The most places in use for one operation; at least 1.
        var maxQueue: Int
    }

    /// Items that the engine may take in one call.
    struct Group: Hashable, Sendable {
        let operation: Operation
        /// The identity of the engine, which is one version of one model, for pictures of one size.
        let engine: ObjectIdentifier
        /// Of each item, at least 1.
        var places = 1
    }

    struct Batch {
        let group: Group
        let entries: [(ticket: Ticket, item: Item)]
        let reason: DispatchReason
    }

    /// What a release has done.
    struct Release {
        /// The item that waited, if one did.
        var item: Item?
        /// Whether a batch is running that nobody waits for any more.
        var abandonsBatch = false
    }

    private enum Stage: Equatable {
        case preparing
        case waiting(Group)
        case running
    }

    private struct Slot {
        var stage = Stage.preparing
        var places = 1
    }

    private struct Waiting {
        let ticket: Ticket
        let item: Item
        let since: Instant
    }

    /// What one operation has: its places, what it had of the engine's time, and how fast its requests end.
    private struct Share {
        var places = 0
        /// In the scheduler's virtual time.
        var served = Duration.zero
        var waiting = 0
        var pace = ServicePace()
        var retries = RetrySchedule()
    }

    let limits: Limits
    private var slots: [Ticket: Slot] = [:]
    private var queues: [Group: [Waiting]] = [:]
    private var running: Set<Ticket> = []
    private var shares: [Operation: Share] = Dictionary(uniqueKeysWithValues: Operation.allCases.map { ($0, Share()) })
    private var costs: [Group: BatchCost] = [:]
    /// The time had by the operation that went last, before it went: who comes back from idling starts here.
    private var virtualTime = Duration.zero
    private var issued: UInt64 = 0

    init(limits: Limits) {
        precondition(limits.maxBatch >= 1 && limits.maxQueue >= 1, "a batch and a queue hold at least one item, got \(limits)")
        self.limits = limits
    }

    /// Slots in use: requests admitted and not yet released.
    var backlog: Int { slots.count }

    /// Places in use for one operation.
    func backlog(of operation: Operation) -> Int { shares[operation]!.places }

    /// Items that wait for a batch.
    var waitingCount: Int { queues.values.reduce(0) { $0 + $1.count } }

    /// Since when the oldest item of an operation has been waiting for a batch; nil if none is.
    func oldestWaiting(of operation: Operation) -> Instant? {
        queues.filter { $0.key.operation == operation }.compactMap { $0.value.first?.since }.min()
    }

    /// Refuses what ``admit(_:within:now:)`` would refuse now.
    mutating func refuseIfOverloaded(_ operation: Operation, within limit: Duration, now: Instant) throws(Overload) {
        let share = shares[operation]!
        let expected = share.pace.time(toServe: share.places)
        guard share.places < limits.maxQueue else { throw fullQueue(operation, until: expected, now: now) }
        guard share.places == 0 || expected <= limit else { throw Overload(reason: .tooLate(expected), retryAfter: expected) }
    }

    /// Takes a slot for a new request.
    /// - Parameter limit: how long its client will wait.
    mutating func admit(_ operation: Operation, within limit: Duration, now: Instant) throws(Overload) -> Ticket {
        try refuseIfOverloaded(operation, within: limit, now: now)
        return issue(operation)
    }

    /// Takes as many slots more for a request that turns out to hold several items, or larger ones, all at once or none. The backlog is not held
    /// against it: it has been let in.
    /// - Parameter places: of each item, and of the one that has a slot.
    mutating func admit(_ count: Int, beside ticket: Ticket, places: Int = 1, now: Instant) throws(Overload) -> [Ticket] {
        let operation = ticket.operation
        let wanted = shares[operation]!.places + (count + 1) * places - 1
        guard wanted <= limits.maxQueue else {
            throw fullQueue(operation, until: shares[operation]!.pace.time(toServe: wanted - limits.maxQueue), now: now)
        }
        if let slot = slots[ticket] {
            shares[operation]!.places += places - slot.places
            slots[ticket]!.places = places
        }
        return (0..<count).map { _ in issue(operation, places) }
    }

    private mutating func issue(_ operation: Operation, _ places: Int = 1) -> Ticket {
        issued += 1
        let ticket = Ticket(number: issued, operation: operation)
        slots[ticket] = Slot(places: places)
        shares[operation]!.places += places
        return ticket
    }

    /// - Parameter expected: until there is a slot.
    private mutating func fullQueue(_ operation: Operation, until expected: Duration, now: Instant) -> Overload {
        let spacing = max(shares[operation]!.pace.secondsPerItem, 1 / Double(limits.maxQueue))
        return Overload(reason: .queueFull, retryAfter: shares[operation]!.retries.next(after: expected, spacing: spacing, now: now))
    }

    /// Puts an admitted request's item into its group's queue.
    /// - Returns: false if the request has given up its slot, or was queued before.
    mutating func enqueue(_ item: Item, for ticket: Ticket, in group: Group, now: Instant) -> Bool {
        guard slots[ticket]?.stage == .preparing else { return false }
        slots[ticket]!.stage = .waiting(group)
        if shares[group.operation]!.waiting == 0 {
            shares[group.operation]!.served = max(shares[group.operation]!.served, virtualTime)
        }
        shares[group.operation]!.waiting += 1
        queues[group, default: []].append(Waiting(ticket: ticket, item: item, since: now))
        return true
    }

    /// Frees a request's slot at whatever stage it is: it has been answered, or nobody waits for the answer any more.
    /// What waits is taken out here, so a batch never contains it. Releasing twice is harmless.
    /// - Parameter wasAnswered: counts for the measured pace.
    mutating func release(_ ticket: Ticket, wasAnswered: Bool, now: Instant) -> Release {
        guard let slot = slots.removeValue(forKey: ticket) else { return Release() }
        shares[ticket.operation]!.places -= slot.places
        if wasAnswered {
            shares[ticket.operation]!.pace.recordEnd(places: slot.places, isBusy: shares[ticket.operation]!.places > 0, now: now)
        }
        switch slot.stage {
        case .preparing: return Release()
        case .waiting(let group): return Release(item: dequeue(ticket, from: group))
        case .running:
            let wasRunning = running.remove(ticket) != nil
            return Release(abandonsBatch: wasRunning && running.isEmpty)
        }
    }

    private mutating func dequeue(_ ticket: Ticket, from group: Group) -> Item? {
        guard let index = queues[group]?.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        let waiting = queues[group]?.remove(at: index)
        shares[group.operation]!.waiting -= 1
        if queues[group]?.isEmpty == true { queues[group] = nil }
        return waiting?.item
    }

    /// The batch that should run now, if one is due: a group is due when it has as many items as pay, or its head has waited `maxDelay`.
    /// - Parameter isClosing: nothing else will come, so that everything is due.
    mutating func takeBatch(now: Instant, isClosing: Bool = false) -> Batch? {
        let due = queues.filter { isClosing || isFull($0.key, $0.value) || $0.value[0].since + limits.maxDelay <= now }
        guard let (group, queue) = due.min(by: { precedes($0, $1) }) else { return nil }
        let taken = queue.prefix(costs[group, default: BatchCost()].batch(atMost: mostItems(of: group)))
        let reason: DispatchReason =
            isClosing ? .closing : isFull(group, queue) ? .full : limits.maxDelay == .zero ? .idle : .delay
        queues[group] = taken.count < queue.count ? Array(queue.dropFirst(taken.count)) : nil
        shares[group.operation]!.waiting -= taken.count
        virtualTime = shares[group.operation]!.served
        running = Set(taken.map(\.ticket))
        for waiting in taken { slots[waiting.ticket]!.stage = .running }
        return Batch(group: group, entries: taken.map { ($0.ticket, $0.item) }, reason: reason)
    }

    /// When ``takeBatch(now:isClosing:)`` will have something to give if nothing else arrives; nil while nothing waits.
    var nextBatchDue: Instant? {
        queues.map { isFull($0.key, $0.value) ? $0.value[0].since : $0.value[0].since + limits.maxDelay }.min()
    }

    /// The batch taken last has kept the engine busy for `duration`.
    /// - Parameter isWhole: false if it was broken off, so that its time says nothing.
    mutating func recordEnd(of group: Group, items: Int, duration: Duration, isWhole: Bool = true) {
        running = []
        shares[group.operation]!.served += duration
        guard isWhole else { return }
        // Versions come and go; what they cost is soon measured again.
        if costs.count > Self.mostCosts { costs = [:] }
        costs[group, default: BatchCost()].record(items: items, duration: duration)
    }

    private static var mostCosts: Int { 64 }

    private func isFull(_ group: Group, _ queue: [Waiting]) -> Bool {
        let most = mostItems(of: group)
        return queue.count >= (costs[group]?.preferredBatch(atMost: most) ?? most)
    }

    /// A batch of larger pictures takes no more memory than one of smaller ones, unless it is a single picture.
    private func mostItems(of group: Group) -> Int { max(1, limits.maxBatch / group.places) }

    private func precedes(_ a: (key: Group, value: [Waiting]), _ b: (key: Group, value: [Waiting])) -> Bool {
        let (shareA, shareB) = (shares[a.key.operation]!.served, shares[b.key.operation]!.served)
        if a.key.operation != b.key.operation && shareA != shareB { return shareA < shareB }
        let (headA, headB) = (a.value[0], b.value[0])
        return headA.since != headB.since ? headA.since < headB.since : headA.ticket.number < headB.ticket.number
    }
}

/// One admitted request.
struct Ticket: Hashable, Sendable {
    fileprivate let number: UInt64
    let operation: Operation
}

/// Why a batch was formed.
enum DispatchReason: String, Sendable, CaseIterable {
    /// It has as many items as pay.
    case full
    /// The engine was free.
    case idle
    /// Its first item had waited as long as it may.
    case delay
    /// The server is stopping.
    case closing
}

/// A request that gets no slot.
struct Overload: Error, Equatable {
    enum Reason: Equatable {
        /// None is free.
        case queueFull
        /// It would be served only after this time, which is longer than its client waits.
        case tooLate(Duration)
    }

    let reason: Reason
    /// When a slot is likely to be free for this client.
    let retryAfter: Duration
}
