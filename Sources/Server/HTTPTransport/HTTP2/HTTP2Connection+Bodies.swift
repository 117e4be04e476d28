/// What arrives of requests' bodies, and what room is made for more.
extension HTTP2Connection {
    /// The request is whole; what is wrong with a trailer shows only now.
    func complete(_ stream: HTTP2Stream) {
        guard let head = stream.head else { preconditionFailure("stream \(stream.id) has no head") }
        if let failure = stream.reader.failure { return refuse(stream, failure) }
        stream.enter(.handling, until: now + stream.answerTimeout)
        events.append(.request(stream: stream.id, HTTPRequest(head: head, body: stream.body.takeKept())))
    }

    func refuse(_ stream: HTTP2Stream, _ error: HTTPError) {
        stream.dropBody()
        discard(stream.unconsumedBytes, of: stream)
        stream.unconsumedBytes = 0
        stream.clientDeadline = nil
        stream.enter(.refusing, until: now + limits.answerTimeout)
        events.append(.failure(stream: stream.id, error))
    }

    func keep(_ data: UnsafeBufferPointer<UInt8>, of stream: HTTP2Stream) {
        stream.body.append(data, of: stream.head?.contentLength)
        if !stream.reservation.grow(to: stream.body.keptBytes) { refuse(stream, .outOfBodyMemory) }
    }

    /// What is kept makes room for more; before a request is admitted nothing does.
    func consumeAll(of stream: HTTP2Stream) {
        session.consume(stream.unconsumedBytes, of: stream.id)
        stream.unconsumedBytes = 0
    }

    /// Throws away what a client sends that does not listen while it speaks. Beyond a limit there is no room for more, so that it stops; reset it
    /// is only when its time is over, because some clients forget an answer that a reset follows.
    func discard(_ count: Int, of stream: HTTP2Stream) {
        stream.discardBytes -= count
        if stream.discardBytes >= 0 {
            session.consume(count, of: stream.id)
        } else {
            session.consumeOfConnection(count)
        }
    }

    /// Bytes of a body buy time at the minimum rate, but never more than the grace: a burst must not pay for hours of silence.
    func earnTime(_ count: Int, for stream: HTTP2Stream) {
        let rate = budget.isScarce ? limits.briskBytesPerSecond : Double(limits.minimumBytesPerSecond)
        let earned = Duration.seconds(Double(count) / rate)
        let latest = min(now + limits.transferGrace, stream.transferStart + limits.bodyTimeout)
        stream.enter(stream.phase, until: min(stream.deadline + earned, latest))
    }
}
