/// What a key may still ask for: its number of items a minute at once, which come back evenly. A pure value.
struct Quota: Sendable {
    typealias Instant = ContinuousClock.Instant

    private let perMinute: Double
    private var left: Double
    private var since: Instant

    init(perMinute: Int, at now: Instant) {
        (self.perMinute, left, since) = (Double(perMinute), Double(perMinute), now)
    }

    /// Takes `count` of them, or none.
    /// - Returns: nil where it was granted, otherwise how long until it could be; more than there are in a minute never can.
    mutating func take(_ count: Int, at now: Instant) -> Duration? {
        left = min(perMinute, left + since.duration(to: now) / .seconds(60) * perMinute)
        since = now
        guard left < Double(count) else {
            left -= Double(count)
            return nil
        }
        return .seconds((min(Double(count), perMinute) - left) / perMinute * 60)
    }
}
