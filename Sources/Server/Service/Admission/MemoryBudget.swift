import Locks

/// A bound on the memory that all requests together may take for their pictures. A size is charged before the memory is
/// allocated, so many large images at once are refused instead of exhausting the machine.
final class MemoryBudget: Sendable {
    let limitBytes: Int
    private let used = Lock(0)

    init(limitBytes: Int) {
        precondition(limitBytes > 0, "a memory budget is positive, got \(limitBytes)")
        self.limitBytes = limitBytes
    }

    var usedBytes: Int { used.withLock { $0 } }

    /// Calls `body` while `bytes` are charged.
    /// - Precondition: `bytes >= 0`.
    func holding<Result>(_ bytes: Int, _ body: () -> Result) throws(MemoryExhausted) -> Result {
        precondition(bytes >= 0, "a charge is not negative, got \(bytes) bytes")
        try used.withLock { used throws(MemoryExhausted) in
            guard bytes <= limitBytes - used else {
                throw MemoryExhausted(requestedBytes: bytes, limitBytes: limitBytes)
            }
            used += bytes
        }
        defer { used.withLock { $0 -= bytes } }
        return body()
    }
}

/// The budget cannot give what was asked for.
struct MemoryExhausted: Error, Equatable {
    let requestedBytes: Int
    let limitBytes: Int

    /// Whether the request could be served when nothing else is running.
    var isTemporary: Bool { requestedBytes <= limitBytes }
}
