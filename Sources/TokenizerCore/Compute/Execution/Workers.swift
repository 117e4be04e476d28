import CKernels
import Dispatch
import Locks
import Synchronization

/// The threads that share the work of one operation.
///
/// What a piece computes for an element never depends on how the work was cut, so the count changes speed and nothing else. Most work is cut
/// the same for any; products and Winograd's convolutions are cut finer where there would be more threads than pieces.
package enum Workers {
    /// Calls `body` once for each of `0 ..< pieces`, in any order, on as many threads as the ``ComputeContext`` allows, and returns when all are done.
    /// Nested calls run their pieces one after the other on the calling thread.
    ///
    /// - Parameters:
    ///   - operation: the name in a ``ComputeProfile``, and `cost` what it has to do at least.
    package static func forEach(
        _ pieces: Int, operation: StaticString = #function, cost: ComputeProfile.Cost? = nil, _ body: (Int) -> Void
    ) {
        let context = ComputeContext.current
        if let profile = context.profile, profile.timesPieces {
            context.forPieces.run { flushingDenormals { profile.timePieces(pieces, of: operation, body) } }
        } else if let profile = context.profile {
            profile.time(operation, cost ?? .init()) { context.forPieces.run { share(pieces, context, body) } }
        } else {
            share(pieces, context, body)
        }
    }

    /// Pieces that a large operation should have at least: two for each thread, so that none waits long for the last one. Up to four threads are
    /// served by the cuts that were measured to be fastest.
    static var wantedPieces: Int {
        let threads = ComputeContext.current.threads
        return threads > 4 ? 2 * threads : 0
    }

    private static func share(_ pieces: Int, _ context: ComputeContext, _ body: (Int) -> Void) {
        let threads = min(context.threads, pieces)
        guard threads > 1 else {
            return flushingDenormals {
                for piece in 0..<pieces { body(piece) }
            }
        }
        withoutActuallyEscaping(body) { body in
            let work = SharedWork(body: body, pieces: pieces)
            DispatchQueue.concurrentPerform(iterations: threads) { _ in
                context.forPieces.run { flushingDenormals { work.run() } }
            }
        }
    }

    /// A saturated SiLU leaves values near 1e-38 behind, and products with those once made a training step four times slower.
    private static func flushingDenormals(_ work: () -> Void) {
        let before = revq_flush_denormals()
        work()
        revq_restore_denormals(before)
    }
}

/// Pieces that several threads take one by one until none is left.
///
/// `@unchecked Sendable`: ``Workers/forEach(_:operation:cost:_:)`` calls `body` from several threads at once, which is its contract with its callers,
/// and returns only when all of them have finished.
private final class SharedWork: @unchecked Sendable {
    private let next = Atomic<Int>(0)
    private let body: (Int) -> Void
    private let pieces: Int

    init(body: @escaping (Int) -> Void, pieces: Int) {
        self.body = body
        self.pieces = pieces
    }

    func run() {
        while true {
            let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard piece < pieces else { return }
            body(piece)
        }
    }
}

extension Workers {
    /// Like ``Workers/forEach(_:_:)`` for pieces that may fail: all pieces are tried, then the failure of the lowest one is thrown.
    package static func forEachThrowing<Failure: Error>(_ pieces: Int, _ body: (Int) throws(Failure) -> Void) throws(Failure) {
        let first = Lock<(piece: Int, error: Failure)?>(nil)
        forEach(pieces) { piece in
            do throws(Failure) {
                try body(piece)
            } catch {
                first.withLock { if $0 == nil || piece < $0!.piece { $0 = (piece, error) } }
            }
        }
        if let failure = first.withLock({ $0 }) { throw failure.error }
    }
}
