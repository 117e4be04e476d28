/// How fast the bytes of one body or answer move, 0 while none is expected; where connections must go, the least goes first.
struct Pace: Comparable {
    let bytesPerSecond: Double
    let since: ContinuousClock.Instant

    static func < (left: Pace, right: Pace) -> Bool {
        (left.bytesPerSecond, left.since) < (right.bytesPerSecond, right.since)
    }
}
