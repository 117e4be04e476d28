/// What is decided about the request in work, and how its answer leaves.
extension HTTP1Connection {
    /// Lets the request in whose head is out.
    /// - Parameter timeout: how long the client waits from now on, the arrival of its body included.
    /// - Precondition: the phase is `admission`.
    mutating func accept(maximumBodyBytes: Int, answerWithin: Duration?, timeout: Duration? = nil, at now: Instant) {
        guard let framing, phase == .admission else { preconditionFailure("accepted in phase \(phase)") }
        answerTimeout = answerWithin ?? limits.answerTimeout
        clientDeadline = timeout.map { now + $0 }
        do throws(HTTPError) {
            try body?.admit(maximumBytes: maximumBodyBytes)
            startTransfer(at: now)
            enter(.body, until: limited(now + min(limits.transferGrace, limits.bodyTimeout)))
            if framing.expectsContinue, framing.announcedBytes != 0 {
                output.append(HTTP1ResponseEncoder.continueAnswer)
            }
        } catch {
            failure = error
        }
    }

    /// Answers the request in work. What is still to come of its body is thrown away; where that would be too much, or its end is not
    /// certain, the connection ends with the answer.
    /// - Parameter date: a formatted `HTTPDate`.
    /// - Precondition: a request or failure is out and not answered.
    mutating func answer(_ response: HTTPResponse, date: String, at now: Instant) {
        precondition([.admission, .body, .handling, .refusing].contains(phase), "answered in phase \(phase)")
        if skimmer == nil, framing?.isPersistent != true || body?.discard(atMost: limits.discardBytes) != true {
            isLastAnswer = true
        }
        isChunked = response.isOpen && head?.version != .http1_0
        if response.isOpen, !isChunked { isLastAnswer = true }
        let (head, content) = HTTP1ResponseEncoder.encode(response, to: head, keepsAlive: !isLastAnswer, date: date)
        output.append(head)
        guard !response.isOpen else {
            precondition(body?.isComplete != false, "an answer in parts to a request that is not whole")
            forgetRequest()
            enter(.streaming, until: deadline ?? limited(now + answerTimeout))
            return append(content)
        }
        output.append(content)
        clientDeadline = nil
        startTransfer(at: now)
        enter(.writing, until: writeDeadline)
        if isLastAnswer || !isRequestPending {
            forgetRequest()
        } else {
            discard(at: now)
        }
    }

    /// Adds to the answer in work, which is open. It has as long in all as an answer may take.
    mutating func continueAnswer(_ part: [UInt8], isLast: Bool, at now: Instant) {
        precondition(phase == .streaming, "an answer went on in phase \(phase)")
        append(part)
        guard isLast else { return }
        if isChunked { output.append(HTTP1ResponseEncoder.lastChunk) }
        clientDeadline = nil
        startTransfer(at: now)
        enter(.writing, until: writeDeadline)
        // Without chunks there may be nothing left to write, whose end would end the answer.
        if output.isEmpty { didWrite(0, at: now) }
    }

    mutating func append(_ part: [UInt8]) {
        guard !part.isEmpty else { return }
        if isChunked { output.append(HTTP1ResponseEncoder.chunkHead(part.count)) }
        output.append(part)
        if isChunked { output.append(HTTP1ResponseEncoder.chunkEnd) }
    }

    /// Throws away what has arrived of a request that is answered. The answer has promised more requests; what turns out too large or
    /// malformed ends the connection all the same.
    mutating func discard(at now: Instant) {
        do throws(HTTPError) {
            guard try skim(), try body?.read(from: &input) == true else { return }
            forgetRequest()
            if phase == .discarding { awaitRequest(at: now) }
        } catch {
            isLastAnswer = true
            forgetRequest()
            input.removeAll()
            if phase == .discarding { linger(at: now) }
        }
    }

    /// Reads what is left of a head that was too large.
    /// - Returns: whether its body follows.
    private mutating func skim() throws(HTTPError) -> Bool {
        guard skimmer != nil else { return true }
        guard let framing = try skimmer?.read(from: &input) else { return false }
        skimmer = nil
        if !framing.isPersistent { isLastAnswer = true }
        body = HTTP1BodyReader(framing, limits: limits, budget: budget)
        guard body?.discard(atMost: limits.discardBytes) == true else { throw .bodyTooLarge }
        return true
    }

    /// Some of `output` is written.
    mutating func didWrite(_ count: Int, at now: Instant) {
        output.drop(count)
        transferredBytes += count
        guard phase == .writing else { return }
        if !output.isEmpty {
            deadline = writeDeadline
        } else if inputEnded && (isLastAnswer || input.isEmpty) {
            close()
        } else if isLastAnswer {
            linger(at: now)
        } else if isRequestPending {
            startTransfer(at: now)
            enter(.discarding, until: now + min(limits.transferGrace, limits.bodyTimeout))
        } else {
            awaitRequest(at: now)
        }
    }

    mutating func awaitRequest(at now: Instant) {
        if isLastAnswer {
            linger(at: now)
        } else if input.isEmpty {
            enter(.idle, until: now + limits.keepAliveTimeout)
        } else {
            enter(.head, until: now + limits.headTimeout)
        }
        waitStart = now
    }

    mutating func linger(at now: Instant) {
        forgetRequest()
        input.removeAll()
        startTransfer(at: now)
        enter(.lingering, until: now + limits.lingerTimeout)
        waitStart = now
    }

    /// Ends the connection after the answer in work, or at once if there is none.
    mutating func finish() {
        isLastAnswer = true
        if phase == .idle { close() }
    }

    mutating func close() {
        phase = .closed
        deadline = nil
        waitStart = nil
        forgetRequest()
        input.removeAll()
        output = HTTPOutput()
    }
}
