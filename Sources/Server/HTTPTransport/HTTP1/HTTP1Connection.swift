/// The server's side of one HTTP/1.1 connection, without I/O: bytes go in, events and bytes to write come out, and time is
/// an argument.
///
/// One request is in work at a time, so answers are in order by construction; requests pipelined behind it wait as bytes,
/// and reading stops when too many wait. After each call the owner takes events until there are none, writes `output`, and
/// looks at `wantsInput`, `deadline` and `phase` again.
/// Source: RFC 9112.
struct HTTP1Connection: ~Copyable {
    typealias Instant = ContinuousClock.Instant

    enum Phase: Equatable {
        /// No byte of the next request is here.
        case idle
        case head
        /// The head is out; `accept` or `answer` must follow.
        case admission
        case body
        /// The request is out; `answer` must follow.
        case handling
        /// A failure is out; `answer` must follow.
        case refusing
        /// The answer has begun; `continueAnswer` must follow until it is whole.
        case streaming
        /// The answer is being written.
        case writing
        /// The answer is written; the rest of a body that nobody wants is read and thrown away.
        case discarding
        /// Everything is written and the client must be told so; what it still sends is dropped.
        case lingering
        case closed
    }

    enum Event: Equatable {
        case head(HTTPRequestHead)
        case request(HTTPRequest)
        /// The request cannot be served. The connection goes on behind it where its end is certain and near.
        case failure(HTTPError)
        /// The client speaks HTTP/2 from its first byte on; `takeInput` has what it has said.
        case http2
    }

    private(set) var phase = Phase.idle
    private(set) var output = HTTPOutput()
    /// When `expire` must be called; `nil` once closed.
    private(set) var deadline: Instant?
    /// Since when it waits for a request's whole head, or for the client to close: since its begin or the last answer; `nil` in any
    /// other phase.
    private(set) var waitStart: Instant?

    private let limits: HTTPLimits
    private let budget: BodyBudget
    private let peer: SocketAddress

    private var input = InputBuffer()
    private var inputEnded = false
    private var headReader: HTTP1HeadReader
    private var head: HTTPRequestHead?
    private var framing: HTTP1Framing?
    /// From the head to the end of the body or the answer, whichever comes last.
    private var body: HTTP1BodyReader?
    private var failure: HTTPError?
    private var answerTimeout: Duration
    /// When the client stops waiting, if it has said so.
    private var clientDeadline: Instant?

    private var isLastAnswer = false
    /// Whether the answer in work comes in chunks; without them, its end is that of the connection.
    private var isChunked = false
    /// Whether what comes may be the preface of HTTP/2: nothing has come before.
    private var mayBeHTTP2 = true
    private var transferStart: Instant
    private var transferredBytes = 0

    init(peer: SocketAddress, limits: HTTPLimits, budget: BodyBudget, at now: Instant) {
        self.peer = peer
        self.limits = limits
        self.budget = budget
        headReader = HTTP1HeadReader(limits: limits)
        answerTimeout = limits.answerTimeout
        transferStart = now
        deadline = now + limits.headTimeout
        waitStart = now
    }

    /// Whether bytes should be read from the client now: not while enough of them wait.
    var wantsInput: Bool {
        switch phase {
        case .closed, .refusing: false
        case .idle, .head, .body, .discarding, .lingering: !inputEnded
        case .admission, .handling, .streaming, .writing: !inputEnded && input.count < limits.headBytes
        }
    }

    // MARK: Input

    mutating func receive(_ bytes: Span<UInt8>, at now: Instant) {
        switch phase {
        case .closed:
            return
        case .lingering:
            transferredBytes += bytes.count
            if transferredBytes > limits.lingerBytes { close() }
        case .idle:
            input.append(bytes)
            enter(.head, until: now + limits.headTimeout)
        case .body:
            earnTime(bytes.count, at: now)
            input.append(bytes)
        case .discarding:
            earnTime(bytes.count, at: now)
            input.append(bytes)
            discardBody(at: now)
        case .writing:
            input.append(bytes)
            discardBody(at: now)
        case .refusing:
            // Without a body's framing, what follows has no meaning.
            if body != nil { input.append(bytes) }
        case .head, .admission, .handling, .streaming:
            input.append(bytes)
        }
    }

    /// Bytes of a body buy time at the minimum rate, but never more than the grace: a burst must not pay for hours of silence.
    private mutating func earnTime(_ count: Int, at now: Instant) {
        transferredBytes += count
        let rate = budget.isScarce ? limits.briskBytesPerSecond : Double(limits.minimumBytesPerSecond)
        let earned = Duration.seconds(Double(count) / rate)
        deadline = limited(min((deadline ?? now) + earned, now + limits.transferGrace, transferStart + limits.bodyTimeout))
    }

    /// The client has shut down its side. It may still read, and waits for the answer of what it sent completely.
    mutating func receiveEnd() {
        inputEnded = true
        if [.idle, .discarding, .lingering].contains(phase) {
            close()
        } else if phase == .handling {
            probe()
        }
    }

    /// Half-closed, or gone? Only writing tells: a client that is gone answers with a reset, one that still waits skips an
    /// interim answer, as every HTTP/1.1 client must.
    private mutating func probe() {
        if head?.version == .http1_1 {
            output.append(HTTP1ResponseEncoder.continueAnswer)
        }
    }

    // MARK: Events

    /// The next thing to act on, or `nil` until more bytes, time or an answer come.
    mutating func nextEvent(at now: Instant) -> Event? {
        do throws(HTTPError) {
            if let failure { throw failure }
            switch phase {
            case .head: return try readHead(at: now)
            case .body: return try readBody(at: now)
            default: return nil
            }
        } catch {
            failure = nil
            if !error.leavesFraming {
                body = nil
                input.removeAll()
            }
            enter(.refusing, until: now + limits.answerTimeout)
            return .failure(error)
        }
    }

    private mutating func readHead(at now: Instant) throws(HTTPError) -> Event? {
        if mayBeHTTP2 {
            guard let isHTTP2 = input.starts(with: HTTP2Upgrade.preface) else { return try waitForInput() }
            mayBeHTTP2 = false
            if isHTTP2 { return .http2 }
        }
        guard let (head, framing) = try headReader.read(from: &input, peer: peer) else {
            return try waitForInput()
        }
        self.head = head
        self.framing = framing
        body = HTTP1BodyReader(framing, limits: limits, budget: budget)
        enter(.admission, until: now + limits.answerTimeout)
        return .head(head)
    }

    private mutating func readBody(at now: Instant) throws(HTTPError) -> Event? {
        guard try body?.read(from: &input) == true, let bytes = body?.takeBytes(), let head else {
            return try waitForInput()
        }
        enter(.handling, until: limited(now + answerTimeout))
        if inputEnded { probe() }
        return .request(HTTPRequest(head: head, body: bytes))
    }

    private func waitForInput() throws(HTTPError) -> Event? {
        if inputEnded { throw HTTPError(.badRequest, "the connection ended before the request was complete") }
        return nil
    }

    // MARK: Upgrades

    /// What the client says of itself where it would rather speak HTTP/2 from the request in work on.
    var http2Settings: [UInt8]? { framing?.http2Settings }

    /// Hands out what has been received and not been understood, to be understood as another protocol. This one is over.
    mutating func takeInput() -> [UInt8] {
        defer { close() }
        return input.takeAll()
    }

    /// Hands out what the body in work has of the budget, to whoever answers its request in its place.
    mutating func takeReservation() -> BodyReservation? {
        body.take()?.takeReservation()
    }

    // MARK: Decisions

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
        if framing?.isPersistent != true || body?.discard(atMost: limits.discardBytes) != true {
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
        if isLastAnswer || body?.isComplete != false {
            forgetRequest()
        } else {
            discardBody(at: now)
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

    private mutating func append(_ part: [UInt8]) {
        guard !part.isEmpty else { return }
        if isChunked { output.append(HTTP1ResponseEncoder.chunkHead(part.count)) }
        output.append(part)
        if isChunked { output.append(HTTP1ResponseEncoder.chunkEnd) }
    }

    /// Throws away what has arrived of a body whose request is answered. The answer has promised more requests; a body that turns out
    /// too large or malformed ends the connection all the same.
    private mutating func discardBody(at now: Instant) {
        do throws(HTTPError) {
            guard try body?.read(from: &input) == true else { return }
            forgetRequest()
            if phase == .discarding { awaitRequest(at: now) }
        } catch {
            isLastAnswer = true
            forgetRequest()
            input.removeAll()
            if phase == .discarding { linger(at: now) }
        }
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
        } else if body != nil {
            startTransfer(at: now)
            enter(.discarding, until: now + min(limits.transferGrace, limits.bodyTimeout))
        } else {
            awaitRequest(at: now)
        }
    }

    private mutating func awaitRequest(at now: Instant) {
        if isLastAnswer {
            linger(at: now)
        } else if input.isEmpty {
            enter(.idle, until: now + limits.keepAliveTimeout)
        } else {
            enter(.head, until: now + limits.headTimeout)
        }
        waitStart = now
    }

    private mutating func linger(at now: Instant) {
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

    // MARK: Time

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
    private var writeDeadline: Instant {
        let earned = Duration.seconds(Double(transferredBytes) / Double(limits.minimumBytesPerSecond))
        return transferStart + min(limits.transferGrace + earned, limits.writeTimeout)
    }

    /// Not later than the client waits.
    private func limited(_ deadline: Instant) -> Instant {
        clientDeadline.map { min($0, deadline) } ?? deadline
    }

    private mutating func startTransfer(at now: Instant) {
        transferStart = now
        transferredBytes = 0
    }

    private mutating func enter(_ phase: Phase, until deadline: Instant) {
        self.phase = phase
        self.deadline = deadline
        if phase != .head { waitStart = nil }
    }

    private mutating func forgetRequest() {
        head = nil
        framing = nil
        body = nil
        failure = nil
        headReader = HTTP1HeadReader(limits: limits)
    }
}
