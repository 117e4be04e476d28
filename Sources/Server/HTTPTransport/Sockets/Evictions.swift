/// Whom to close when every connection is in use and another client comes: first who only waits or lets wait, longest first; then whose
/// bytes move slowest. Whoever does so for a moment only, or moves bytes briskly, stays.
///
/// One look at all connections lasts for many closings, so that a flood of new clients does not cost a look each.
struct Evictions {
    typealias Instant = ContinuousClock.Instant

    /// One that has waited for less is likely in use.
    static let patience = Duration.seconds(1)

    private let briskBytesPerSecond: Double
    /// The next one last.
    private var candidates: [UInt64] = []
    private var lookedAt: Instant?

    init(limits: HTTPLimits) {
        briskBytesPerSecond = limits.briskBytesPerSecond
    }

    /// The next to close, still open; `nil` if there is none.
    /// - Parameter origin: only connections of this origin.
    mutating func next(in connections: [UInt64: ServerConnection], from origin: String? = nil, at now: Instant) -> ServerConnection? {
        while true {
            while let index = candidates.lastIndex(where: { origin == nil || connections[$0]?.address?.origin == origin }) {
                if let connection = connections[candidates.remove(at: index)], pace(of: connection, at: now) != nil {
                    return connection
                }
            }
            guard lookedAt != now else { return nil }
            look(at: connections, now)
        }
    }

    private mutating func look(at connections: [UInt64: ServerConnection], _ now: Instant) {
        lookedAt = now
        let found = connections.compactMap { identifier, connection in
            pace(of: connection, at: now).map { (identifier, pace: $0) }
        }
        candidates = found.sorted { $0.pace > $1.pace }.map(\.0)
    }

    /// `nil` for one that stays.
    private func pace(of connection: ServerConnection, at now: Instant) -> Pace? {
        guard let pace = connection.conversation.pace(at: now), pace.bytesPerSecond < briskBytesPerSecond,
            pace.since <= now - Self.patience
        else { return nil }
        return pace
    }
}
