/// A fixed number of threads for work that blocks or computes: reading bodies, decoding and encoding images. It keeps such work off
/// the event loops.
///
/// The queue needs no bound of its own: only admitted requests put work into it, and a request that is given up takes its work out.
package final class WorkPool: Sendable {
    /// Names one piece of work, so that it can be taken back.
    package struct Piece: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct State {
        var waiting: [(piece: Piece, run: @Sendable () -> Void)] = []
        var issued: UInt64 = 0
        var isClosed = false
    }

    private let state: Monitor<State>
    private let threads = Monitor<[DedicatedThread]>([])

    /// - Parameter threads: at least 1.
    /// - Throws: where the system has no room for that many threads; none is left running.
    package init(threads count: Int) throws(SystemError) {
        precondition(count >= 1, "a pool has at least one thread, got \(count)")
        let state = Monitor(State())
        self.state = state
        do throws(SystemError) {
            for _ in 0..<count {
                let thread = try DedicatedThread {
                    while let run = Self.next(of: state) { run() }
                }
                threads.withLock { $0.append(thread) }
            }
        } catch {
            close()
            throw error
        }
    }

    /// Runs `work` on one of the threads, in the order of submission.
    @discardableResult
    package func submit(_ work: @escaping @Sendable () -> Void) -> Piece {
        state.wakingOne { state in
            state.issued += 1
            let piece = Piece(number: state.issued)
            state.waiting.append((piece, work))
            return piece
        }
    }

    /// Takes back a piece of work that has not begun.
    package func cancel(_ piece: Piece) {
        // The closure is released outside the lock: it may own the last reference to things that end with it.
        let dropped = state.withoutWaking { state in
            state.waiting.firstIndex { $0.piece == piece }.map { state.waiting.remove(at: $0) }
        }
        _ = dropped
    }

    /// Lets the work that waits finish, then ends the threads.
    package func close() {
        state.withLock { $0.isClosed = true }
        threads.withLock { $0 }.forEach { $0.join() }
    }

    private static func next(of state: Monitor<State>) -> (@Sendable () -> Void)? {
        state.wait { state in
            if !state.waiting.isEmpty { return .done(state.waiting.removeFirst().run) }
            return state.isClosed ? .done(nil) : .wait(until: nil)
        }
    }
}
