/// A conversation that began in HTTP/1.1.
extension HTTP2Connection {
    /// A request that came by HTTP/1.1 and is answered on stream 1.
    struct UpgradedRequest {
        let head: HTTPRequestHead
        /// As ``HTTP2Upgrade/settings(_:)`` has them.
        let settings: [UInt8]
        /// It has been admitted and has arrived; otherwise its head is yet to be acted on.
        let isInWork: Bool
        /// When it must have been answered.
        let deadline: Instant
    }

    /// Goes on with a request, after the answer that says so.
    /// - Parameter reservation: of its body.
    func begin(with request: UpgradedRequest, _ reservation: consuming BodyReservation) {
        output.append(HTTP2Upgrade.answer)
        guard session.upgrade(request.settings, isHead: request.head.method == .head) else { return end(for: .protocolError) }
        let stream = HTTP2Stream(1, limits: limits, reservation: reservation, at: now)
        (stream.head, stream.isAdmitted, stream.isWhole) = (request.head, request.isInWork, true)
        stream.enter(request.isInWork ? .handling : .admission, until: request.deadline)
        streams[stream.id] = stream
        if !request.isInWork { events.append(.head(stream: stream.id, request.head)) }
    }
}
