import TestSupport
import Testing

@testable import Threads

@Suite struct WorkPoolTests {
    @Test func runsInOrderOfSubmission() throws {
        let pool = try WorkPool(threads: 1)
        let results = Mailbox<Int>()
        for number in 0..<100 { pool.submit { results.post(number) } }
        pool.close()
        #expect(results.posted == Array(0..<100))
    }

    @Test func workThatIsTakenBackDoesNotRun() throws {
        let pool = try WorkPool(threads: 1)
        let gate = Gate()
        let results = Mailbox<Int>()
        pool.submit { gate.pass() }
        gate.waitForArrival()
        let first = pool.submit { results.post(1) }
        pool.submit { results.post(2) }
        pool.cancel(first)
        pool.cancel(first)
        gate.open()
        pool.close()
        #expect(results.posted == [2])
    }

    @Test func severalThreadsWorkAtOnce() throws {
        let pool = try WorkPool(threads: 2)
        let (first, second) = (Gate(), Gate())
        pool.submit { first.pass() }
        pool.submit { second.pass() }
        first.waitForArrival()
        second.waitForArrival()
        first.open()
        second.open()
        pool.close()
    }
}
