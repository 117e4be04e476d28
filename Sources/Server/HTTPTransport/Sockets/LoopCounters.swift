import Synchronization

/// What one event loop has counted. Only its thread counts; any thread reads.
final class LoopCounters: Sendable {
    /// A number with one writer: a plain addition, which others see whole.
    struct Counter: ~Copyable, Sendable {
        private let value = Atomic(0)

        var total: Int { value.load(ordering: .relaxed) }

        func count(_ amount: Int = 1) {
            value.store(value.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
        }
    }

    let accepted = Counter()
    let refusedBecauseFull = Counter()
    let refusedByAddress = Counter()
    let refusedForDescriptors = Counter()
    let evicted = Counter()
    let requests = Counter()
    let bytesRead = Counter()
    let bytesWritten = Counter()
    let headTimeouts = Counter()
    let bodyTimeouts = Counter()
    let answerTimeouts = Counter()
    let writeTimeouts = Counter()
    let idleTimeouts = Counter()

    func countTimeout(in phase: HTTP1Connection.Phase) {
        switch phase {
        case .head: headTimeouts.count()
        case .body, .discarding: bodyTimeouts.count()
        case .admission, .handling, .refusing: answerTimeouts.count()
        case .writing: writeTimeouts.count()
        case .idle: idleTimeouts.count()
        case .lingering, .closed: break
        }
    }
}
