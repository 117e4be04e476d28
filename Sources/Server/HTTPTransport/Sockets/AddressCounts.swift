import Locks
import Threads

/// How many connections each client's address (``SocketAddress/origin``) has, over all loops.
final class AddressCounts: Sendable {
    private let limit: Int
    private let counts = Lock<[String: Int]>([:])

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts one more connection.
    /// - Returns: nil, and nothing is counted, if the address has as many as it may.
    func enter(_ origin: String) -> Entry? {
        counts.withLock { counts in
            guard counts[origin, default: 0] < limit else { return nil }
            counts[origin, default: 0] += 1
            return Entry(of: self, origin: origin)
        }
    }

    private func leave(_ origin: String) {
        counts.withLock { counts in
            let left = counts[origin, default: 1] - 1
            counts[origin] = left > 0 ? left : nil
        }
    }

    /// One counted connection, until it goes.
    final class Entry {
        let origin: String
        private let owner: AddressCounts

        fileprivate init(of owner: AddressCounts, origin: String) {
            self.owner = owner
            self.origin = origin
        }

        deinit {
            owner.leave(origin)
        }
    }
}
