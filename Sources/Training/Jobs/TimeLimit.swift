/// The time that a run may take in one call.
package struct TimeLimit {
    package let minutes: Double
    private let elapsed: () -> Duration

    /// - Parameter elapsed: time since the call began.
    package init(minutes: Double, elapsed: @escaping () -> Duration = TrainingLog.stopwatch()) {
        (self.minutes, self.elapsed) = (minutes, elapsed)
    }

    package var isOver: Bool { elapsed() >= .seconds(minutes * 60) }
}
