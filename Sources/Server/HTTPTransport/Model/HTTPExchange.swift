import Locks
import Threads

/// The state shared by a connection and the responder of one of its requests.
final class HTTPExchange: Sendable {
    private enum State {
        case waiting([@Sendable (HTTPCancellation) -> Void])
        /// The head of the answer is given, and parts of its body follow.
        case begun([@Sendable (HTTPCancellation) -> Void])
        case answered
        case cancelled(HTTPCancellation)
    }

    private let state = Lock<State>(.waiting([]))
    /// What goes back to the connection.
    enum Delivery: Sendable {
        case answer(HTTPResponse)
        case part([UInt8], isLast: Bool)
    }

    private let deliver: @Sendable (Delivery) -> Void

    /// - Parameter deliver: takes the one answer, on the thread that gives it; in parts where it is open.
    init(deliver: @escaping @Sendable (Delivery) -> Void) {
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
        deliver(.answer(response))
        return true
    }

    /// Gives the head of an answer whose body comes in parts.
    @discardableResult
    func begin(_ response: HTTPResponse) -> Bool {
        var response = response
        response.isOpen = true
        let isTaken = state.withLock { state in
            guard case .waiting(let actions) = state else { return false }
            state = .begun(actions)
            return true
        }
        if isTaken { deliver(.answer(response)) }
        return isTaken
    }

    /// Gives some of the body of such an answer; nothing where nobody waits any more.
    func send(_ part: [UInt8], isLast: Bool) {
        let isTaken = state.withLock { state in
            guard case .begun = state else { return false }
            if isLast { state = .answered }
            return true
        }
        if isTaken { deliver(.part(part, isLast: isLast)) }
    }

    func onCancel(_ action: @escaping @Sendable (HTTPCancellation) -> Void) {
        let reason: HTTPCancellation? = state.withLock { state in
            switch state {
            case .waiting(let actions):
                state = .waiting(actions + [action])
                return nil
            case .begun(let actions):
                state = .begun(actions + [action])
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
            switch (state, final) {
            case (.waiting(let actions), _), (.begun(let actions), .cancelled):
                state = final
                return actions
            default: return nil
            }
        }
    }
}
