import TestSupport
import Testing

@testable import Service

/// An engine's identity without an engine.
private final class Version: Sendable {}

/// A scheduler that expectations can call.
private final class Scheduler {
    typealias Group = BatchScheduler<Int>.Group

    private var value: BatchScheduler<Int>

    init(_ limits: BatchScheduler<Int>.Limits) {
        value = BatchScheduler(limits: limits)
    }

    var backlog: Int { value.backlog }
    var waitingCount: Int { value.waitingCount }
    var nextBatchDue: ContinuousClock.Instant? { value.nextBatchDue }

    func admit(_ operation: Operation = .encode, within limit: Duration = .seconds(60), now: ContinuousClock.Instant = .now) throws(Overload)
        -> Ticket
    {
        try value.admit(operation, within: limit, now: now)
    }

    func admit(_ count: Int, beside ticket: Ticket, places: Int, now: ContinuousClock.Instant = .now) throws(Overload) -> [Ticket] {
        try value.admit(count, beside: ticket, places: places, now: now)
    }

    func places(of operation: Operation) -> Int { value.backlog(of: operation) }

    func enqueue(_ item: Int, for ticket: Ticket, in group: Group, now: ContinuousClock.Instant) -> Bool {
        value.enqueue(item, for: ticket, in: group, now: now)
    }

    func release(_ ticket: Ticket) -> Int? { value.release(ticket, wasAnswered: false, now: .now).item }

    func answer(_ ticket: Ticket, now: ContinuousClock.Instant) { _ = value.release(ticket, wasAnswered: true, now: now) }

    func abandonsBatch(_ ticket: Ticket) -> Bool { value.release(ticket, wasAnswered: false, now: .now).abandonsBatch }

    func takeBatch(now: ContinuousClock.Instant) -> BatchScheduler<Int>.Batch? { value.takeBatch(now: now) }

    func recordEnd(of batch: BatchScheduler<Int>.Batch, duration: Duration) {
        value.recordEnd(of: batch.group, items: batch.entries.count, duration: duration)
    }
}

@Suite struct BatchSchedulerTests {
    private let start = ContinuousClock.now
    private let version = Version()

    private func scheduler(maxBatch: Int = 4, maxDelay: Duration = .milliseconds(10), maxQueue: Int = 8) -> Scheduler {
        Scheduler(.init(maxBatch: maxBatch, maxDelay: maxDelay, maxQueue: maxQueue))
    }

    private func group(_ operation: Operation = .encode, _ version: Version? = nil, places: Int = 1) -> Scheduler.Group {
        Scheduler.Group(operation: operation, engine: ObjectIdentifier(version ?? self.version), places: places)
    }

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant {
        start + .milliseconds(milliseconds)
    }

    @Test func anItemAloneWaitsForTheDelay() throws {
        let scheduler = scheduler()
        let ticket = try scheduler.admit()
        #expect(scheduler.nextBatchDue == nil)
        #expect(scheduler.enqueue(7, for: ticket, in: group(), now: at(5)))
        #expect(scheduler.nextBatchDue == at(15))
        #expect(scheduler.takeBatch(now: at(14)) == nil)
        let batch = try #require(scheduler.takeBatch(now: at(15)))
        #expect(batch.entries.map(\.item) == [7])
        #expect(batch.entries.map(\.ticket) == [ticket])
        #expect(scheduler.nextBatchDue == nil)
    }

    @Test func aFullBatchGoesAtOnceAndLeavesTheRest() throws {
        let scheduler = scheduler()
        for item in 0..<6 { _ = scheduler.enqueue(item, for: try scheduler.admit(), in: group(), now: at(item)) }
        #expect(scheduler.nextBatchDue == at(0))
        #expect(scheduler.takeBatch(now: at(5))?.entries.map(\.item) == [0, 1, 2, 3])
        #expect(scheduler.takeBatch(now: at(5)) == nil)
        #expect(scheduler.nextBatchDue == at(14))
        #expect(scheduler.takeBatch(now: at(14))?.entries.map(\.item) == [4, 5])
    }

    @Test func withoutDelayEveryItemIsDue() throws {
        let scheduler = scheduler(maxDelay: .zero)
        _ = scheduler.enqueue(1, for: try scheduler.admit(), in: group(), now: at(0))
        #expect(scheduler.takeBatch(now: at(0))?.entries.map(\.item) == [1])
    }

    @Test func operationsAndVersionsDoNotMix() throws {
        let scheduler = scheduler()
        let other = Version()
        let groups = [group(.encode), group(.decode), group(.encode, other), group(.encode), group(.reconstruct)]
        for (item, group) in groups.enumerated() { _ = scheduler.enqueue(item, for: try scheduler.admit(group.operation), in: group, now: at(item)) }
        var batches: [[Int]] = []
        while let batch = scheduler.takeBatch(now: at(100)) { batches.append(batch.entries.map(\.item)) }
        #expect(batches == [[0, 3], [1], [2], [4]])
    }

    @Test func theGroupThatWaitedLongestGoesFirst() throws {
        let scheduler = scheduler(maxBatch: 2)
        _ = scheduler.enqueue(0, for: try scheduler.admit(.decode), in: group(.decode), now: at(0))
        for item in 1...4 { _ = scheduler.enqueue(item, for: try scheduler.admit(), in: group(.encode), now: at(item)) }
        // Not due yet, so the full group does not wait for it.
        #expect(scheduler.takeBatch(now: at(5))?.entries.map(\.item) == [1, 2])
        #expect(scheduler.takeBatch(now: at(10))?.entries.map(\.item) == [0])
        #expect(scheduler.takeBatch(now: at(10))?.entries.map(\.item) == [3, 4])
    }

    @Test func equalArrivalsGoInOrderOfAdmission() throws {
        let scheduler = scheduler()
        let first = try scheduler.admit()
        let second = try scheduler.admit()
        _ = scheduler.enqueue(2, for: second, in: group(.decode), now: at(0))
        _ = scheduler.enqueue(1, for: first, in: group(.encode), now: at(0))
        #expect(scheduler.takeBatch(now: at(10))?.entries.map(\.item) == [1])
    }

    @Test func aFullQueueRefusesUntilASlotIsReleased() throws {
        let scheduler = scheduler(maxQueue: 2)
        let first = try scheduler.admit()
        _ = try scheduler.admit()
        #expect(throws: Overload.self) { try scheduler.admit() }
        #expect(scheduler.release(first) == nil)
        #expect(scheduler.backlog == 1)
        _ = try scheduler.admit()
    }

    /// Three pictures four times as large leave no room for a fourth, and go alone where five small ones go together.
    @Test func largerItemsTakeMorePlaces() throws {
        let (scheduler, large) = (scheduler(maxBatch: 5, maxQueue: 13), group(.encode, Version(), places: 4))
        let first = try scheduler.admit()
        let others = try scheduler.admit(2, beside: first, places: 4)
        #expect(scheduler.backlog == 3 && scheduler.places(of: .encode) == 12)
        let small = try scheduler.admit()
        #expect(throws: Overload.self) { try scheduler.admit() }
        #expect(throws: Overload.self) { try scheduler.admit(0, beside: small, places: 2) }
        #expect(scheduler.places(of: .encode) == 13)
        for (item, ticket) in ([first] + others).enumerated() { #expect(scheduler.enqueue(item, for: ticket, in: large, now: at(item))) }
        for item in 0..<3 { #expect(scheduler.takeBatch(now: at(2))?.entries.map(\.item) == [item]) }
        scheduler.answer(first, now: at(3))
        #expect(scheduler.places(of: .encode) == 9)
        // Nobody's slot grows once its client has gone.
        #expect(scheduler.release(small) == nil)
        #expect(try scheduler.admit(0, beside: small, places: 4).isEmpty)
        #expect(scheduler.places(of: .encode) == 8)
    }

    @Test func retryAfterIsTheBacklogAtTheMeasuredPace() throws {
        let scheduler = scheduler(maxQueue: 3)
        var tickets = try (0..<3).map { _ in try scheduler.admit() }
        #expect(refusal { try scheduler.admit(now: at(0)) } == Overload(reason: .queueFull, retryAfter: .seconds(0.1 * 3)))
        for second in 0..<400 {
            scheduler.answer(tickets.removeFirst(), now: at(second * 2_000))
            tickets.append(try scheduler.admit(within: .seconds(3_600), now: at(second * 2_000)))
        }
        let retryAfter = try #require(refusal { try scheduler.admit(now: at(799_000)) }).retryAfter
        #expect(abs(retryAfter / .seconds(1) - 6) < 0.01)
    }

    @Test func thoseTurnedAwayTogetherComeBackOneAfterAnother() throws {
        let scheduler = scheduler(maxQueue: 20)
        for _ in 0..<20 { _ = try scheduler.admit() }
        let waits: [Double] = (0..<100).compactMap { _ in refusal { try scheduler.admit(now: at(0)) } }.map { $0.retryAfter / .seconds(1) }
        #expect(waits.first == 2 && waits == waits.sorted())
        // At a tenth of a second each, three of four places are promised.
        for (earlier, later) in zip(waits, waits.dropFirst()) { #expect(abs(later - earlier - 0.1 / 0.75) < 1e-9) }
        #expect(try #require(refusal { try scheduler.admit(now: at(60_000)) }).retryAfter == .seconds(2))
    }

    @Test func whoeverCannotWaitSoLongIsToldAtOnce() throws {
        let scheduler = scheduler(maxQueue: 20)
        _ = try scheduler.admit(within: .milliseconds(1))
        for _ in 0..<5 { _ = try scheduler.admit() }
        #expect(
            refusal { try scheduler.admit(within: .milliseconds(500)) }
                == Overload(reason: .tooLate(.seconds(0.1 * 6)), retryAfter: .seconds(0.1 * 6)))
        _ = try scheduler.admit(within: .milliseconds(601))
    }

    /// How a request is turned away.
    private func refusal(_ admit: () throws -> Ticket) -> Overload? {
        do {
            _ = try admit()
            return nil
        } catch {
            return error as? Overload
        }
    }

    @Test func aFloodOfOneOperationTurnsAwayNoneOfTheOthers() throws {
        let scheduler = scheduler(maxQueue: 2)
        for _ in 0..<2 { _ = try scheduler.admit(.encode) }
        #expect(throws: Overload.self) { try scheduler.admit(.encode) }
        for operation in [Operation.decode, .reconstruct] { for _ in 0..<2 { _ = try scheduler.admit(operation) } }
        #expect(scheduler.backlog == 6)
    }

    /// Encodings of 5 ms without end beside a decoding of 40 ms every 100 ms: it never waits for more than the batch that runs.
    @Test func aFloodDelaysTheOthersByOneBatch() throws {
        let scheduler = scheduler(maxBatch: 4, maxDelay: .zero, maxQueue: 10_000)
        for item in 0..<4_000 { _ = scheduler.enqueue(item, for: try scheduler.admit(within: .seconds(3_600)), in: group(.encode), now: at(0)) }
        var (now, longest) = (0, 0)
        var (nextDecode, arrived) = (0, [Int: Int]())
        for _ in 0..<800 {
            while nextDecode <= now {
                let ticket = try scheduler.admit(.decode)
                _ = scheduler.enqueue(-nextDecode - 1, for: ticket, in: group(.decode), now: at(nextDecode))
                arrived[-nextDecode - 1] = nextDecode
                nextDecode += 100
            }
            guard let batch = scheduler.takeBatch(now: at(now)) else { break }
            for (_, item) in batch.entries { arrived.removeValue(forKey: item).map { longest = max(longest, now - $0) } }
            let cost = batch.entries.count * (batch.group.operation == .encode ? 5 : 40)
            now += cost
            scheduler.recordEnd(of: batch, duration: .milliseconds(cost))
        }
        #expect(longest <= 20)
    }

    @Test func whoeverWasIdleSavesUpNothing() throws {
        let scheduler = scheduler(maxBatch: 1, maxDelay: .zero, maxQueue: 100)
        for item in 0..<20 { _ = scheduler.enqueue(item, for: try scheduler.admit(), in: group(.encode), now: at(0)) }
        for _ in 0..<10 { scheduler.recordEnd(of: try #require(scheduler.takeBatch(now: at(0))), duration: .seconds(1)) }
        for item in 20..<30 { _ = scheduler.enqueue(item, for: try scheduler.admit(.decode), in: group(.decode), now: at(1)) }
        var order: [Operation] = []
        for _ in 0..<6 {
            let batch = try #require(scheduler.takeBatch(now: at(1)))
            order.append(batch.group.operation)
            scheduler.recordEnd(of: batch, duration: .seconds(1))
        }
        #expect(order == [.decode, .encode, .decode, .encode, .decode, .encode])
    }

    @Test func aBatchIsAbandonedWhenItsLastRequestIs() throws {
        let scheduler = scheduler(maxBatch: 2)
        let tickets = try (0..<3).map { item in
            let ticket = try scheduler.admit()
            _ = scheduler.enqueue(item, for: ticket, in: group(), now: at(0))
            return ticket
        }
        let batch = try #require(scheduler.takeBatch(now: at(10)))
        #expect(!scheduler.abandonsBatch(tickets[2]) && !scheduler.abandonsBatch(tickets[0]))
        #expect(scheduler.abandonsBatch(tickets[1]))
        scheduler.recordEnd(of: batch, duration: .seconds(1))
        #expect(!scheduler.abandonsBatch(tickets[1]))
    }

    @Test func batchesThatDoNotPayAreNotFormed() throws {
        let scheduler = scheduler(maxBatch: 4, maxDelay: .milliseconds(10), maxQueue: 1_000)
        /// Lets `waiting` items be served at 10 ms each, and says how large the batches were.
        func sizes(_ waiting: Int, perBatch: Int) throws -> [Int] {
            for item in 0..<waiting { _ = scheduler.enqueue(item, for: try scheduler.admit(within: .seconds(3_600)), in: group(), now: at(0)) }
            var sizes: [Int] = []
            while let batch = scheduler.takeBatch(now: at(20)) {
                sizes.append(batch.entries.count)
                scheduler.recordEnd(of: batch, duration: .milliseconds(10 * batch.entries.count + perBatch))
                for (ticket, _) in batch.entries { _ = scheduler.release(ticket) }
            }
            return sizes
        }
        #expect(try sizes(5, perBatch: 0) == [4, 1])
        let alone = try sizes(60, perBatch: 0)
        #expect(alone.count { $0 == 1 } >= 44 && alone.contains(4))
        // Alone, an item does not wait for others either.
        _ = scheduler.enqueue(0, for: try scheduler.admit(within: .seconds(3_600)), in: group(), now: at(30))
        #expect(scheduler.nextBatchDue == at(30))
        scheduler.recordEnd(of: try #require(scheduler.takeBatch(now: at(30))), duration: .milliseconds(10))
        #expect(try sizes(400, perBatch: 20).dropLast().suffix(20).allSatisfy { $0 == 4 })
    }

    @Test func runningItemsKeepTheirSlotsUntilReleased() throws {
        let scheduler = scheduler(maxQueue: 1)
        let ticket = try scheduler.admit()
        _ = scheduler.enqueue(0, for: ticket, in: group(), now: at(0))
        #expect(scheduler.takeBatch(now: at(10)) != nil)
        #expect(scheduler.backlog == 1)
        #expect(throws: Overload.self) { try scheduler.admit() }
        #expect(scheduler.release(ticket) == nil)
        #expect(scheduler.backlog == 0)
    }

    @Test func aReleasedItemIsInNoBatch() throws {
        let scheduler = scheduler()
        let tickets = try (0..<3).map { item in
            let ticket = try scheduler.admit()
            _ = scheduler.enqueue(item, for: ticket, in: group(), now: at(item))
            return ticket
        }
        #expect(scheduler.release(tickets[0]) == 0)
        #expect(scheduler.nextBatchDue == at(11))
        #expect(scheduler.takeBatch(now: at(11))?.entries.map(\.item) == [1, 2])
    }

    @Test func releasingTheLastItemLeavesNothingDue() throws {
        let scheduler = scheduler()
        let ticket = try scheduler.admit()
        _ = scheduler.enqueue(0, for: ticket, in: group(), now: at(0))
        #expect(scheduler.release(ticket) == 0)
        #expect(scheduler.release(ticket) == nil)
        #expect(scheduler.nextBatchDue == nil)
        #expect(scheduler.takeBatch(now: at(100)) == nil)
    }

    @Test func aRequestReleasedWhileItIsPreparedCannotEnter() throws {
        let scheduler = scheduler()
        let ticket = try scheduler.admit()
        #expect(scheduler.release(ticket) == nil)
        #expect(!scheduler.enqueue(0, for: ticket, in: group(), now: at(0)))
        #expect(scheduler.waitingCount == 0)
    }

    @Test func aRequestEntersOnce() throws {
        let scheduler = scheduler()
        let ticket = try scheduler.admit()
        #expect(scheduler.enqueue(0, for: ticket, in: group(), now: at(0)))
        #expect(!scheduler.enqueue(1, for: ticket, in: group(), now: at(0)))
        #expect(scheduler.waitingCount == 1)
    }

    /// A few thousand random steps: whatever happens, slots are bounded, no item is lost or served twice, order holds within a group, and
    /// at the time that was announced there is a batch.
    @Test(arguments: 1...8) func keepsItsPromisesUnderRandomLoad(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        let scheduler = scheduler(maxBatch: 3, maxQueue: 7)
        let groups = [group(.encode), group(.decode), group(.encode, Version())]
        var now = start
        var preparing: [Ticket] = []
        var waiting: [(ticket: Ticket, item: Int, group: Scheduler.Group)] = []
        var running: [Ticket] = []
        var next = 0
        for _ in 0..<2_000 {
            switch random.below(6) {
            case 0, 1:
                let operation = groups[random.below(2)].operation
                let isFull = (preparing + waiting.map(\.ticket) + running).count { $0.operation == operation } == 7
                if isFull {
                    #expect(throws: Overload.self) { try scheduler.admit(operation) }
                } else {
                    preparing.append(try scheduler.admit(operation))
                }
            case 2 where !preparing.isEmpty:
                let ticket = preparing.remove(at: random.below(preparing.count))
                let group = groups.filter { $0.operation == ticket.operation }.randomElement(using: &random)!
                #expect(scheduler.enqueue(next, for: ticket, in: group, now: now))
                waiting.append((ticket, next, group))
                next += 1
            case 3 where !waiting.isEmpty:
                let gone = waiting.remove(at: random.below(waiting.count))
                #expect(scheduler.release(gone.ticket) == gone.item)
            case 4 where !running.isEmpty:
                #expect(scheduler.release(running.removeFirst()) == nil)
            default:
                now += .milliseconds(random.below(12))
                let wasDue = scheduler.nextBatchDue.map { $0 <= now } ?? false
                let batch = scheduler.takeBatch(now: now)
                #expect((batch != nil) == wasDue)
                guard let batch else { break }
                let expected = waiting.filter { $0.group == batch.group }.prefix(3)
                #expect(batch.entries.map(\.item) == expected.map(\.item))
                waiting.removeAll { entry in batch.entries.contains { $0.item == entry.item } }
                running += batch.entries.map(\.ticket)
            }
            #expect(scheduler.backlog == preparing.count + waiting.count + running.count)
            #expect(scheduler.waitingCount == waiting.count)
        }
    }
}
