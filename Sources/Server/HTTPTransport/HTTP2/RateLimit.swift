/// So many a second: a bucket that holds what one second allows, and fills as time goes by.
struct RateLimit {
    private let perSecond: Double
    private var left: Double
    private var since: ContinuousClock.Instant

    init(_ perSecond: Int, at now: ContinuousClock.Instant) {
        self.perSecond = Double(perSecond)
        left = self.perSecond
        since = now
    }

    /// Takes one.
    /// - Returns: false where none is left.
    mutating func spend(at now: ContinuousClock.Instant) -> Bool {
        if now > since {
            earn((now - since) / .seconds(1) * perSecond)
            since = now
        }
        guard left >= 1 else { return false }
        left -= 1
        return true
    }

    /// Gives some back, never more than a second's.
    mutating func earn(_ count: Double) {
        left = min(perSecond, left + count)
    }
}
