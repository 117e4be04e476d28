import Locks

/// Knows what the service's threads are doing, and since when: a thread that never comes back shows in `/readyz`, not only in requests
/// that are not answered.
final class Watchdog: Sendable {
    /// What a thread may be doing.
    enum Work: Sendable, Equatable, CustomStringConvertible {
        case batch(Operation, items: Int)
        case picture
        case answer

        var description: String {
            switch self {
            case .batch(let operation, let items): "a batch of \(items) to \(operation.rawValue)"
            case .picture: "the reading of a picture"
            case .answer: "the reading of tokens or the writing of an answer"
            }
        }
    }

    private struct State {
        var begun: [UInt64: (work: Work, since: ContinuousClock.Instant)] = [:]
        var issued: UInt64 = 0
    }

    /// Nothing that is well takes as long.
    let limit: Duration
    private let state = Lock(State())

    init(limit: Duration) {
        self.limit = limit
    }

    /// Calls `body`, which is `work`.
    func watching<Result, Failure: Error>(_ work: Work, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let number = state.withLock { state in
            state.issued += 1
            state.begun[state.issued] = (work, .now)
            return state.issued
        }
        defer { state.withLock { $0.begun[number] = nil } }
        return try body()
    }

    /// What has taken longer than the limit: the one that began first, and for how long it has been going on.
    func stuck(at now: ContinuousClock.Instant) -> (work: Work, duration: Duration)? {
        state.withLock { state in
            state.begun.values.filter { $0.since + limit < now }.min { $0.since < $1.since }.map { ($0.work, $0.since.duration(to: now)) }
        }
    }
}
