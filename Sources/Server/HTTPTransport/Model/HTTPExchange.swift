import Locks
import Threads

/// The state shared by a connection and the responder of one of its requests.
final class HTTPExchange: Sendable {
    private enum State {
        case waiting([@Sendable (HTTPCancellation) -> Void])
        case answered
        case cancelled(HTTPCancellation)
    }

    private let state = Lock<State>(.waiting([]))
    private let deliver: @Sendable (HTTPResponse) -> Void

    /// - Parameter deliver: takes the one answer, on the thread that gives it.
    init(deliver: @escaping @Sendable (HTTPResponse) -> Void) {
        self.deliver = deliver
    }

    var isCancelled: Bool {
        state.withLock { state in
            if case .cancelled = state { true } else { false }
        }
    }

    /// Answers without delivering: the caller has the answer already.
    /// - Returns: false if it was answered or cancelled before.
    func settle() -> Bool {
        finish(as: .answered) != nil
    }

    @discardableResult
    func answer(_ response: HTTPResponse) -> Bool {
        guard finish(as: .answered) != nil else { return false }
        deliver(response)
        return true
    }

    func onCancel(_ action: @escaping @Sendable (HTTPCancellation) -> Void) {
        let reason: HTTPCancellation? = state.withLock { state in
            switch state {
            case .waiting(let actions):
                state = .waiting(actions + [action])
                return nil
            case .answered:
                return nil
            case .cancelled(let reason):
                return reason
            }
        }
        if let reason {
            action(reason)
        }
    }

    /// - Returns: false if it was answered or cancelled before.
    @discardableResult
    func cancel(_ reason: HTTPCancellation) -> Bool {
        guard let actions = finish(as: .cancelled(reason)) else { return false }
        actions.forEach { $0(reason) }
        return true
    }

    /// Leaves the waiting state once and hands out its actions. They are released outside the lock: an action may hold the
    /// last reference to the responder, whose end takes the lock again.
    private func finish(as final: State) -> [@Sendable (HTTPCancellation) -> Void]? {
        state.withLock { state in
            guard case .waiting(let actions) = state else { return nil }
            state = final
            return actions
        }
    }
}
