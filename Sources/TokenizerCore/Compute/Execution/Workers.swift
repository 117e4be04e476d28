import CKernels
import Dispatch
import Glibc
import Synchronization

/// The threads that share the work of one operation.
///
/// Work is cut into pieces whose shapes never depend on how many threads there are, so the count changes speed and nothing else.
package enum Workers {
    private static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    private static let limit = Atomic<Int>(0)
    @TaskLocal private static var isInsideParallelWork = false

    /// How many threads one operation may use. Defaults to the number of processors.
    package static var count: Int {
        get {
            let chosen = limit.load(ordering: .relaxed)
            return chosen > 0 ? chosen : processors
        }
        set {
            precondition(newValue >= 1, "the number of threads is at least 1, got \(newValue)")
            limit.store(newValue, ordering: .relaxed)
        }
    }

    /// Calls `body` once for each of `0 ..< pieces`, in any order, on up to ``count`` threads, and returns when all are done.
    /// Nested calls run their pieces one after the other on the calling thread.
    ///
    /// - Parameters:
    ///   - operation: the name in a ``ComputeProfile``, and `cost` what it has to do at least.
    package static func forEach(
        _ pieces: Int, operation: StaticString = #function, cost: ComputeProfile.Cost? = nil, _ body: (Int) -> Void
    ) {
        if let profile = ComputeProfile.current {
            profile.time(operation, cost ?? .init()) { share(pieces, body) }
        } else {
            share(pieces, body)
        }
    }

    private static func share(_ pieces: Int, _ body: (Int) -> Void) {
        let threads = isInsideParallelWork ? 1 : min(count, pieces)
        guard threads > 1 else {
            return flushingDenormals {
                for piece in 0..<pieces { body(piece) }
            }
        }
        withoutActuallyEscaping(body) { body in
            let work = SharedWork(body: body, pieces: pieces)
            DispatchQueue.concurrentPerform(iterations: threads) { _ in
                $isInsideParallelWork.withValue(true) { flushingDenormals { work.run() } }
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
