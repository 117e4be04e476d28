import TestSupport
import Testing

@testable import Compute
@testable import Service
@testable import TokenizerCore

@Suite struct BatchQueueTests {
    private func queue(maxBatch: Int = 8, maxDelay: Duration = .zero) -> BatchQueue {
        try! BatchQueue(
            limits: .init(maxBatch: maxBatch, maxDelay: maxDelay, maxQueue: 64), watchdog: Watchdog(limit: .seconds(30)), metrics: ServiceMetrics())
    }

    /// Queues an image filled with `byte`, and posts its result under that byte.
    @discardableResult
    private func encode(
        _ byte: UInt8, on queue: BatchQueue, _ engine: FakeEngine, into results: Mailbox<(UInt8, Result<EngineOutput, EngineFailure>)>
    ) throws -> Ticket {
        let ticket = try queue.admit(.encode, within: .seconds(60))
        let item = BatchQueue.Item(
            engine: engine, operation: .encode, input: .image(FakeEngine.image(filledWith: byte)),
            completion: { result in
                results.post((byte, result))
            })
        #expect(queue.enqueue(item, for: ticket))
        return ticket
    }

    @Test func runsWhatIsQueuedAndAnswersEachItem() throws {
        let (queue, engine) = (queue(), FakeEngine())
        let results = Mailbox<(UInt8, Result<EngineOutput, EngineFailure>)>()
        for byte in 20..<26 { try encode(UInt8(byte), on: queue, engine, into: results) }
        for (byte, result) in results.wait(for: 6) {
            #expect(result == .success(.tokens(Tokens(ofOneImage: (0..<4).map { Int32(byte) + $0 }))))
        }
        queue.close()
    }

    @Test func whatArrivesWhileTheEngineIsBusySharesABatch() throws {
        let gate = Gate()
        let (queue, engine) = (queue(maxBatch: 4), FakeEngine(gate: gate))
        let results = Mailbox<(UInt8, Result<EngineOutput, EngineFailure>)>()
        try encode(1, on: queue, engine, into: results)
        gate.waitForArrival()
        for byte in 2..<8 { try encode(UInt8(byte), on: queue, engine, into: results) }
        gate.open()
        #expect(results.wait(for: 7).map(\.0) == [1, 2, 3, 4, 5, 6, 7])
        #expect(engine.batchSizes == [1, 4, 2])
        queue.close()
    }

    @Test func aBadItemFailsAlone() throws {
        let gate = Gate()
        let (queue, engine) = (queue(), FakeEngine(gate: gate))
        let results = Mailbox<(UInt8, Result<EngineOutput, EngineFailure>)>()
        try encode(1, on: queue, engine, into: results)
        gate.waitForArrival()
        for byte in [12, 13, 14] as [UInt8] { try encode(byte, on: queue, engine, into: results) }
        gate.open()
        let outcome = results.wait(for: 4).map { byte, result in (byte, (try? result.get()) != nil) }
        #expect(outcome.map(\.0) == [1, 12, 13, 14])
        #expect(outcome.map(\.1) == [true, true, false, true])
        #expect(engine.batchSizes == [1, 3, 1, 1, 1])
        queue.close()
    }

    @Test func aReleasedItemIsNeverRun() throws {
        let gate = Gate()
        let (queue, engine) = (queue(), FakeEngine(gate: gate))
        let results = Mailbox<(UInt8, Result<EngineOutput, EngineFailure>)>()
        try encode(1, on: queue, engine, into: results)
        gate.waitForArrival()
        let gone = try encode(2, on: queue, engine, into: results)
        try encode(3, on: queue, engine, into: results)
        queue.release(gone, wasAnswered: false)
        gate.open()
        queue.close()
        #expect(results.posted.map(\.0) == [1, 3])
        #expect(engine.batchSizes == [1, 1])
    }

    @Test func aBatchThatNobodyWaitsForIsInterrupted() throws {
        let gate = Gate()
        let (queue, engine) = (queue(), FakeEngine(gate: gate))
        let results = Mailbox<(UInt8, Result<EngineOutput, EngineFailure>)>()
        let ticket = try encode(1, on: queue, engine, into: results)
        gate.waitForArrival()
        queue.release(ticket, wasAnswered: false)
        gate.open()
        #expect(results.wait(for: 1)[0].1 == .failure(EngineFailure(description: "encode failed: nobody waits for it any more")))
        try encode(2, on: queue, engine, into: results)
        #expect((try? results.wait(for: 2)[1].1.get()) != nil)
        queue.close()
    }

    @Test func closingRunsWhatWaits() throws {
        let (queue, engine) = (queue(maxDelay: .seconds(3_600)), FakeEngine())
        let results = Mailbox<(UInt8, Result<EngineOutput, EngineFailure>)>()
        for byte in 1...3 { try encode(UInt8(byte), on: queue, engine, into: results) }
        queue.close()
        #expect(results.posted.map(\.0) == [1, 2, 3])
    }

    /// The item's own completion may own what releases it when it goes.
    @Test func aReleasedItemMayReleaseAgainAsItGoes() throws {
        final class Owner: Sendable {
            let queue: BatchQueue
            let ticket: Ticket

            init(queue: BatchQueue) throws {
                self.queue = queue
                ticket = try queue.admit(.encode, within: .seconds(60))
            }

            deinit { queue.release(ticket, wasAnswered: false) }
        }
        let queue = queue(maxDelay: .seconds(3_600))
        let ticket = try { () throws in
            let owner = try Owner(queue: queue)
            let item = BatchQueue.Item(
                engine: FakeEngine(), operation: .encode, input: .image(FakeEngine.image(filledWith: 1)), completion: { _ in _ = owner })
            #expect(queue.enqueue(item, for: owner.ticket))
            return owner.ticket
        }()
        queue.release(ticket, wasAnswered: false)
        #expect(queue.backlog == 0)
        queue.close()
    }
}
