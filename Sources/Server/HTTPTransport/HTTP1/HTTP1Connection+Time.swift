/// What takes too long, and what bytes buy.
extension HTTP1Connection {
    /// How it has fared since when; `nil` while the server works for it.
    func pace(at now: Instant) -> Pace? {
        switch phase {
        case .idle, .head, .lingering:
            return waitStart.map { Pace(bytesPerSecond: 0, since: $0) }
        case .body, .discarding, .writing:
            let milliseconds = max(1, (now - transferStart) / .milliseconds(1))
            return Pace(bytesPerSecond: Double(transferredBytes) / milliseconds * 1000, since: transferStart)
        case .admission, .handling, .refusing, .streaming, .closed:
            return nil
        }
    }

    /// Acts on a deadline that has passed; does nothing before it.
    /// - Returns: the phase that took too long.
    @discardableResult
    mutating func expire(at now: Instant) -> Phase? {
        guard let deadline, deadline <= now else { return nil }
        let overdue = phase
        switch phase {
        case .head:
            failure = HTTPError(.requestTimeout, "the request's head did not arrive in time")
        case .body where clientDeadline.map { $0 <= now } != true:
            failure = HTTPError(.requestTimeout, "the request's body arrives too slowly")
        case .admission, .body, .handling:
            failure = HTTPError(
                .gatewayTimeout, "the request was not answered in time", retryAfterSeconds: 1, leavesFraming: true)
        case .idle, .refusing, .streaming, .writing, .discarding, .lingering, .closed:
            close()
        }
        return overdue
    }

    /// The system takes an answer in large pieces, long before the client has read them: unlike a body's, time is earned for good.
    var writeDeadline: Instant {
        let earned = Duration.seconds(Double(transferredBytes) / Double(limits.minimumBytesPerSecond))
        return transferStart + min(limits.transferGrace + earned, limits.writeTimeout)
    }

    /// Not later than the client waits.
    func limited(_ deadline: Instant) -> Instant {
        clientDeadline.map { min($0, deadline) } ?? deadline
    }

    /// Bytes of a body buy time at the minimum rate, but never more than the grace: a burst must not pay for hours of silence.
    mutating func earnTime(_ count: Int, at now: Instant) {
        transferredBytes += count
        let rate = budget.isScarce ? limits.briskBytesPerSecond : Double(limits.minimumBytesPerSecond)
        let earned = Duration.seconds(Double(count) / rate)
        deadline = limited(min((deadline ?? now) + earned, now + limits.transferGrace, transferStart + limits.bodyTimeout))
    }
}
