/// How fast requests of one operation have been answered lately, through all stages: the time in which any were in progress, by the
/// answers given in it. Idle times do not count, and what is longer ago counts less.
struct ServicePace: Sendable {
    typealias Instant = ContinuousClock.Instant

    private static let memory = 0.98

    /// It starts with one answer in a tenth of a second, which the first ones measured outweigh.
    private var seconds = 0.1
    private var answers = 1.0
    /// When the last request was answered, if others were in progress then.
    private var busySince: Instant?

    var secondsPerItem: Double { seconds / answers }

    /// A request has been answered.
    /// - Parameters:
    ///   - places: how many it counts for.
    ///   - isBusy: whether others are in progress.
    mutating func recordEnd(places: Int = 1, isBusy: Bool, now: Instant) {
        if let busySince {
            seconds = seconds * Self.memory + busySince.duration(to: now) / .seconds(1)
            answers = answers * Self.memory + Double(places)
        }
        busySince = isBusy ? now : nil
    }

    /// The time in which `items` will have been answered.
    func time(toServe items: Int) -> Duration {
        .seconds(Double(items) * secondsPerItem)
    }
}

/// When clients that were turned away are told to come back: one after another at the pace at which they can be served, for all at once
/// would be turned away again.
struct RetrySchedule: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// The share of the pace that is promised to those who come back; the rest is for those who come for the first time.
    private static let share = 0.75
    /// Nobody is sent away for longer.
    private static let longest = Duration.seconds(60)

    private var lastPromise: Instant?

    /// - Parameters:
    ///   - backlog: until what is in progress has been answered.
    ///   - spacing: seconds from one answer to the next.
    /// - Returns: when this client should come back.
    mutating func next(after backlog: Duration, spacing: Double, now: Instant) -> Duration {
        let earliest = now + backlog
        let promise = min(max(earliest, lastPromise.map { $0 + .seconds(spacing / Self.share) } ?? earliest), now + Self.longest)
        lastPromise = promise
        return now.duration(to: promise)
    }
}
