import Threads

/// Holds the threads that pass it until it is opened, and tells when one has arrived.
package final class Gate: Sendable {
    private let state = Monitor((arrived: 0, isOpen: false))

    package init() {}

    package func pass() {
        state.withLock { $0.arrived += 1 }
        state.wait { $0.isOpen ? .done(()) : .wait(until: nil) }
    }

    package func open() {
        state.withLock { $0.isOpen = true }
    }

    package func waitForArrival() {
        state.wait { $0.arrived > 0 ? .done(()) : .wait(until: nil) }
    }
}

/// Collects values from other threads and waits until there are enough. These tests block and use no tasks: a task that another must
/// wait for may find every thread of the pool blocked.
package final class Mailbox<Value: Sendable>: Sendable {
    private let values = Monitor<[Value]>([])

    package init() {}

    package func post(_ value: Value) {
        values.withLock { $0.append(value) }
    }

    package var posted: [Value] { values.withLock { $0 } }

    package func wait(for count: Int) -> [Value] {
        values.wait { $0.count >= count ? .done($0) : .wait(until: nil) }
    }

    /// Takes the oldest value out, once there is one; `nil` if none comes for a minute.
    package func take() -> Value? {
        let end = ContinuousClock.now + .seconds(60)
        return values.wait { values in
            if !values.isEmpty { return .done(values.removeFirst()) }
            return ContinuousClock.now >= end ? .done(nil) : .wait(until: end)
        }
    }
}
