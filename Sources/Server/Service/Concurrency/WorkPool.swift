/// A fixed number of threads for work that blocks or computes: reading bodies, decoding and encoding images. It keeps such work off
/// the event loops.
///
/// The queue needs no bound of its own: only admitted requests put work into it, and a request that is given up takes its work out.
final class WorkPool: Sendable {
    /// Names one piece of work, so that it can be taken back.
    struct Piece: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct State {
        var waiting: [(piece: Piece, run: @Sendable () -> Void)] = []
        var issued: UInt64 = 0
        var isClosed = false
    }

    private let state: Monitor<State>
    private let threads: [ServiceThread]

    /// - Parameter threads: at least 1.
    init(threads count: Int) {
        precondition(count >= 1, "a pool has at least one thread, got \(count)")
        let state = Monitor(State())
        self.state = state
        threads = (0..<count).map { _ in
            ServiceThread {
                while let run = Self.next(of: state) { run() }
            }
        }
    }

    /// Runs `work` on one of the threads, in the order of submission.
    @discardableResult
    func submit(_ work: @escaping @Sendable () -> Void) -> Piece {
        state.withLock { state in
            state.issued += 1
            let piece = Piece(number: state.issued)
            state.waiting.append((piece, work))
            return piece
        }
    }

    /// Takes back a piece of work that has not begun.
    func cancel(_ piece: Piece) {
        // The closure is released outside the lock: it may own the last reference to things that end with it.
        let dropped = state.withLock { state in
            state.waiting.firstIndex { $0.piece == piece }.map { state.waiting.remove(at: $0) }
        }
        _ = dropped
    }

    /// Lets the work that waits finish, then ends the threads.
    func close() {
        state.withLock { $0.isClosed = true }
        for thread in threads { thread.join() }
    }

    private static func next(of state: Monitor<State>) -> (@Sendable () -> Void)? {
        state.wait { state in
            if !state.waiting.isEmpty { return .done(state.waiting.removeFirst().run) }
            return state.isClosed ? .done(nil) : .wait(until: nil)
        }
    }
}
