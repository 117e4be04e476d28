/// Says when a run should save: every so often, so that a crash costs at most that much work.
package struct SaveTimer {
    private let interval: Duration
    private var last: ContinuousClock.Instant

    package init(every interval: Duration) {
        self.interval = interval
        last = .now
    }

    /// Whether the interval has passed since the last save; the caller then saves.
    package mutating func isDue() -> Bool {
        guard ContinuousClock.now - last >= interval else { return false }
        last = .now
        return true
    }
}
