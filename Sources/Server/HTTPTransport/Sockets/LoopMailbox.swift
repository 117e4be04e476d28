import CEvents
import Locks
import Threads

/// How other threads reach an event loop: messages under a lock, and a descriptor that ends its wait.
final class LoopMailbox: Sendable {
    enum Message: Sendable {
        /// The answer to one request of one connection.
        case answer(connection: UInt64, exchange: UInt64, HTTPResponse)
        /// Some more of the body of an answer that is open.
        case part(connection: UInt64, exchange: UInt64, [UInt8], isLast: Bool)
        /// End every connection with its next answer.
        case drain
        /// Accept no more, and finish what is in work until the deadline.
        case stop(deadline: ContinuousClock.Instant)
    }

    private struct State {
        var messages: [Message] = []
        /// The loop waits, or is about to, and nobody has woken it.
        var isAsleep = false
    }

    private let state = Lock(State())
    private let wakeup: Socket

    init() throws(SystemError) {
        wakeup = Socket(owning: try SystemCalls.check("eventfd") { events_wakeup_create() })
    }

    /// Readable while the loop should wake.
    var descriptor: CInt { wakeup.descriptor }

    func post(_ message: Message) {
        let mustWake = state.withLock { state in
            state.messages.append(message)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if mustWake {
            // It fails only when the counter is full, and then the loop is awake.
            _ = events_wakeup_signal(wakeup.descriptor)
        }
    }

    /// Called by the loop before it waits.
    /// - Returns: the messages to handle instead of waiting; if there are none, the next one will wake the loop.
    func takeOrSleep() -> [Message] {
        state.withLock { state in
            state.isAsleep = state.messages.isEmpty
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Called by the loop when `descriptor` is readable.
    func clearWakeup() {
        _ = events_wakeup_clear(wakeup.descriptor)
    }
}
