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

    func admit() throws(Overload) -> Ticket { try value.admit() }

    func enqueue(_ item: Int, for ticket: Ticket, in group: Group, now: ContinuousClock.Instant) -> Bool {
        value.enqueue(item, for: ticket, in: group, now: now)
    }

    func release(_ ticket: Ticket) -> Int? { value.release(ticket) }

    func takeBatch(now: ContinuousClock.Instant) -> BatchScheduler<Int>.Batch? { value.takeBatch(now: now) }

    func record(items: Int, duration: Duration) { value.record(items: items, duration: duration) }
}

@Suite struct BatchSchedulerTests {
    private let start = ContinuousClock.now
    private let version = Version()

    private func scheduler(maxBatch: Int = 4, maxDelay: Duration = .milliseconds(10), maxQueue: Int = 8) -> Scheduler {
        Scheduler(.init(maxBatch: maxBatch, maxDelay: maxDelay, maxQueue: maxQueue))
    }

    private func group(_ operation: Operation = .encode, _ version: Version? = nil) -> Scheduler.Group {
        Scheduler.Group(operation: operation, engine: ObjectIdentifier(version ?? self.version))
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
        for (item, group) in groups.enumerated() { _ = scheduler.enqueue(item, for: try scheduler.admit(), in: group, now: at(item)) }
        var batches: [[Int]] = []
        while let batch = scheduler.takeBatch(now: at(100)) { batches.append(batch.entries.map(\.item)) }
        #expect(batches == [[0, 3], [1], [2], [4]])
    }

    @Test func theGroupThatWaitedLongestGoesFirst() throws {
        let scheduler = scheduler(maxBatch: 2)
        _ = scheduler.enqueue(0, for: try scheduler.admit(), in: group(.decode), now: at(0))
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

    @Test func retryAfterIsBacklogTimesTheMeasuredTime() throws {
        let scheduler = scheduler(maxQueue: 3)
        for _ in 0..<3 { _ = try scheduler.admit() }
        #expect(throws: Overload(retryAfter: .seconds(0.1 * 3))) { try scheduler.admit() }
        scheduler.record(items: 4, duration: .seconds(8))
        #expect(throws: Overload(retryAfter: .seconds(6))) { try scheduler.admit() }
        scheduler.record(items: 1, duration: .seconds(7))
        #expect(throws: Overload(retryAfter: .seconds(9))) { try scheduler.admit() }
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
                let isFull = preparing.count + waiting.count + running.count == 7
                if isFull { #expect(throws: Overload.self) { try scheduler.admit() } } else { preparing.append(try scheduler.admit()) }
            case 2 where !preparing.isEmpty:
                let ticket = preparing.remove(at: random.below(preparing.count))
                let group = groups[random.below(groups.count)]
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
