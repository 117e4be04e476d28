import Compute
import Threads

/// Gives memory back that has not been needed for a while: what a rare burst of large batches and pictures took is not kept for the next one.
final class MemoryKeeper: Sendable {
    /// What is left of the heap, to the system.
    private let returnHeap: @Sendable () -> Void
    private let isStopping = Monitor(false)

    init(returnHeap: @escaping @Sendable () -> Void) {
        self.returnHeap = returnHeap
    }

    /// Looks every `interval` until it is stopped. Blocks.
    func run(every interval: Duration) {
        while !isStopping.becomesTrue(within: interval) {
            BufferPool.shared.releaseUnused()
            returnHeap()
        }
    }

    func stop() {
        isStopping.withLock { $0 = true }
    }
}
