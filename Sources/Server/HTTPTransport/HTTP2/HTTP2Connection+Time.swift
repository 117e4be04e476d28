/// What time ends.
extension HTTP2Connection {
    /// When `expire` must be called; `nil` once closed.
    var deadline: Instant? {
        guard phase == .open else { return phase == .lingering ? waitDeadline : nil }
        var earliest = streams.values.map(\.deadline).min() ?? waitDeadline
        if let writeDeadline { earliest = min(earliest, writeDeadline) }
        if case .announced(let until) = farewell { earliest = min(earliest, until) }
        return earliest
    }

    /// How it has fared since when, by the stream that fares best; `nil` while the server works for it.
    func pace(at now: Instant) -> Pace? {
        guard phase != .closed, !streams.values.contains(where: { $0.phase.isServersTurn || $0.isOpen }) else { return nil }
        let paces = streams.values.compactMap { stream in
            stream.bytesPerSecond(at: now).map { Pace(bytesPerSecond: $0, since: stream.transferStart) }
        }
        return paces.max() ?? Pace(bytesPerSecond: 0, since: waitStart)
    }

    /// Acts on deadlines that have passed; does nothing before.
    /// - Returns: what took too long.
    func expire(at now: Instant) -> [LoopCounters.Timeout] {
        self.now = now
        switch phase {
        case .closed: return []
        case .lingering:
            if waitDeadline <= now { close() }
            return []
        case .open: break
        }
        if let writeDeadline, writeDeadline <= now {
            close()
            return [.write]
        }
        if case .announced(let until) = farewell, until <= now { sayFarewell() }
        guard !streams.isEmpty else { return expireWait() }
        return streams.values.filter { $0.deadline <= now }.compactMap(expire)
    }

    private func expireWait() -> [LoopCounters.Timeout] {
        guard waitDeadline <= now else { return [] }
        // Said before, and still not taken.
        guard farewell != .said else {
            close()
            return []
        }
        sayFarewell()
        waitDeadline = now + limits.lingerTimeout
        return [.idle]
    }

    private func expire(_ stream: HTTP2Stream) -> LoopCounters.Timeout? {
        let overdue = stream.phase.timeout
        switch stream.phase {
        case .head: end(for: .headers)
        case .body where stream.clientDeadline.map({ $0 <= now }) != true:
            refuse(stream, HTTPError(.requestTimeout, "the request's body arrives too slowly"))
        case .admission, .body, .handling:
            refuse(stream, HTTPError(.gatewayTimeout, "the request was not answered in time", retryAfterSeconds: 1))
        case .writing where stream.isOpen && stream.openDeadline.map { $0 <= now } == true: reset(stream, .cancel)
        case .writing where session.hasRoom(for: stream.id):
            // Other streams are in its way, or what is written and not read, which has a deadline of its own.
            stream.enter(.writing, until: now + limits.transferGrace)
            return nil
        case .writing: reset(stream, .cancel)
        case .refusing: reset(stream, .internalError)
        case .discarding: reset(stream, .none)
        }
        return overdue
    }

    /// Once the reset is written the stream is gone.
    private func reset(_ stream: HTTP2Stream, _ code: HTTP2Session.ErrorCode) {
        session.reset(stream.id, code)
        stream.enter(stream.phase, until: now + limits.transferGrace)
    }

    func answerDeadline(of stream: HTTP2Stream) -> Instant {
        let earned = Duration.seconds(Double(stream.transferredBytes) / Double(limits.minimumBytesPerSecond))
        return stream.transferStart + min(limits.transferGrace + earned, limits.writeTimeout)
    }
}

extension HTTP2Stream.Phase {
    fileprivate var isServersTurn: Bool { [.admission, .handling, .refusing].contains(self) }
}
