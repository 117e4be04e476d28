import Threads

/// How many connections each client address has, over all loops.
final class AddressCounts: Sendable {
    private let limit: Int
    private let counts = Lock<[String: Int]>([:])

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts one more connection.
    /// - Returns: nil, and nothing is counted, if the address has as many as it may.
    func enter(_ host: String) -> Entry? {
        counts.withLock { counts in
            guard counts[host, default: 0] < limit else { return nil }
            counts[host, default: 0] += 1
            return Entry(of: self, host: host)
        }
    }

    private func leave(_ host: String) {
        counts.withLock { counts in
            let left = counts[host, default: 1] - 1
            counts[host] = left > 0 ? left : nil
        }
    }

    /// One counted connection, until it goes.
    final class Entry {
        let host: String
        private let owner: AddressCounts

        fileprivate init(of owner: AddressCounts, host: String) {
            self.owner = owner
            self.host = host
        }

        deinit {
            owner.leave(host)
        }
    }
}
