import TestSupport
import Testing

@testable import Threads

@Suite struct MonitorTests {
    @Test func aWaitThatNamesATimeEndsWithoutAnyChange() throws {
        let monitor = Monitor(0)
        let end = ContinuousClock.now + .milliseconds(2)
        let looks = monitor.wait { state -> Monitor<Int>.Step<Int> in
            state += 1
            return ContinuousClock.now >= end ? .done(state) : .wait(until: end)
        }
        #expect(looks >= 2)
    }

    @Test func aTimeThatHasPassedDoesNotBlock() throws {
        let monitor = Monitor(0)
        let past = ContinuousClock.now - .seconds(1)
        let looks = monitor.wait { state -> Monitor<Int>.Step<Int> in
            state += 1
            return state == 3 ? .done(state) : .wait(until: past)
        }
        #expect(looks == 3)
    }

    @Test func aChangeWakesEveryWaitingThread() throws {
        let monitor = Monitor(false)
        let woken = Mailbox<Int>()
        let threads = try (0..<3).map { number in
            try DedicatedThread {
                monitor.wait { $0 ? .done(()) : .wait(until: nil) }
                woken.post(number)
            }
        }
        monitor.withLock { $0 = true }
        for thread in threads { thread.join() }
        #expect(Set(woken.posted) == [0, 1, 2])
    }
}
