/// The server's side of one HTTP/2 connection, without I/O: bytes go in, events and bytes to write come out, and time is an argument.
///
/// nghttp2 knows the protocol. Here is what it leaves open: what a request may cost, in time, in memory and in frames. After each call the
/// owner takes events until there are none, calls `fill`, writes `output`, and looks at `wantsInput`, `deadline` and `phase` again.
///
/// What nghttp2 tells is in `HTTP2Connection+Frames.swift`, what becomes of bodies in `+Bodies`, what time ends in `+Time`; only these
/// touch what is not private.
/// Source: RFC 9113.
final class HTTP2Connection {
    typealias Instant = ContinuousClock.Instant

    enum Phase: Equatable {
        case open
        /// Everything is written and the client must be told so; what it still sends is dropped.
        case lingering
        case closed
    }

    enum Event: Equatable {
        /// `accept` or `answer` must follow.
        case head(stream: Int32, HTTPRequestHead)
        case request(stream: Int32, HTTPRequest)
        /// The request cannot be served; `answer` must follow. The others on the connection go on.
        case failure(stream: Int32, HTTPError)
        /// Nobody waits for this answer any more.
        case gone(stream: Int32, HTTPCancellation)
    }

    /// How the server says that it takes no more requests.
    enum Farewell: Equatable {
        case unsaid
        /// The client may not have heard yet, and what it asks meanwhile is answered.
        case announced(until: Instant)
        case said
    }

    /// What is filled for writing, and not more: the rest waits where it is.
    private static let outputBytes = 128 << 10
    /// How long a client may take to say that it has heard of the end.
    private static let announcement = Duration.seconds(1)

    private(set) var phase = Phase.open
    var output = HTTPOutput()

    let peer: SocketAddress
    let limits: HTTPLimits
    let budget: BodyBudget
    var session: HTTP2Session!
    var streams: [Int32: HTTP2Stream] = [:]
    var events: [Event] = []
    var misbehaviour: HTTP2Misbehaviour?
    private var hasTakenMisbehaviour = false
    /// What has shown while frames were made, when nghttp2 cannot be told to stop.
    var sentTooMuch: HTTP2Misbehaviour?
    var resets: RateLimit
    var controlFrames: RateLimit

    /// The time of the call that nghttp2 calls back in.
    var now: Instant
    /// Since when no request is in work, or none has been.
    var waitStart: Instant
    /// How long that may be.
    var waitDeadline: Instant
    /// When the client must have taken what is written; `nil` while nothing waits.
    var writeDeadline: Instant?
    var farewell = Farewell.unsaid
    private var lingeredBytes = 0

    init(peer: SocketAddress, limits: HTTPLimits, budget: BodyBudget, at now: Instant) {
        self.peer = peer
        self.limits = limits
        self.budget = budget
        self.now = now
        resets = RateLimit(limits.http2.resetsPerSecond, at: now)
        controlFrames = RateLimit(limits.http2.controlFramesPerSecond, at: now)
        waitStart = now
        waitDeadline = now + limits.headTimeout
        session = HTTP2Session(for: self, limits: limits)
    }

    /// Bytes should be read now: not while the client does not read.
    var wantsInput: Bool {
        switch phase {
        case .open: output.byteCount < Self.outputBytes && events.isEmpty
        case .lingering: true
        case .closed: false
        }
    }

    var hasEvents: Bool { !events.isEmpty }

    // MARK: Input

    func receive(_ bytes: Span<UInt8>, at now: Instant) {
        self.now = now
        switch phase {
        case .closed: break
        case .lingering:
            lingeredBytes += bytes.count
            if lingeredBytes > limits.lingerBytes { close() }
        case .open:
            switch session.receive(bytes) {
            case nil: break
            case .refused: end(for: misbehaviour ?? .protocolError)
            case .tooManyContinuations: end(for: .headers)
            case .flooded: end(for: .controlFrames)
            case .malformed: end(for: .protocolError)
            }
        }
    }

    /// The next thing to act on, or `nil` until more bytes, time or an answer come.
    func nextEvent(at now: Instant) -> Event? {
        self.now = now
        while !events.isEmpty {
            let event = events.removeFirst()
            if isCurrent(event) { return event }
        }
        return nil
    }

    /// What was said about a stream may have been overtaken by its end.
    private func isCurrent(_ event: Event) -> Bool {
        switch event {
        case .head(let id, _): streams[id]?.phase == .admission
        case .request(let id, _): streams[id]?.phase == .handling
        case .failure(let id, _): streams[id]?.phase == .refusing
        case .gone: true
        }
    }

    /// What the connection is ended for, once.
    func takeMisbehaviour() -> HTTP2Misbehaviour? {
        guard let misbehaviour, !hasTakenMisbehaviour else { return nil }
        hasTakenMisbehaviour = true
        return misbehaviour
    }

    // MARK: Decisions

    /// Lets the request in whose head is out.
    /// - Parameter timeout: how long the client waits from now on, the arrival of its body included.
    /// - Precondition: its stream's phase is `admission`.
    func accept(_ id: Int32, maximumBodyBytes: Int, answerWithin: Duration?, timeout: Duration?, at now: Instant) {
        self.now = now
        guard let stream = streams[id], stream.phase == .admission else { preconditionFailure("stream \(id) is not to be admitted") }
        stream.answerTimeout = answerWithin ?? limits.answerTimeout
        stream.clientDeadline = timeout.map { now + $0 }
        (stream.isAdmitted, stream.maximumBodyBytes) = (true, maximumBodyBytes)
        let announced = stream.head?.contentLength ?? 0
        guard max(announced, stream.body.count) <= maximumBodyBytes else { return refuse(stream, .bodyTooLarge) }
        guard budget.canTake(announced - stream.body.keptBytes) else { return refuse(stream, .outOfBodyMemory) }
        consumeAll(of: stream)
        guard !stream.isWhole else { return complete(stream) }
        stream.startTransfer(at: now)
        stream.enter(.body, until: now + min(limits.transferGrace, limits.bodyTimeout))
        if stream.expectsContinue, stream.body.count == 0 { session.goOn(id) }
    }

    /// Answers a request in work; does nothing where its client has just gone.
    /// - Parameter date: a formatted `HTTPDate`.
    /// - Precondition: the stream's request or failure is out and not answered.
    func answer(_ id: Int32, _ response: HTTPResponse, date: String, at now: Instant) {
        self.now = now
        guard let stream = streams[id] else { return }
        precondition(stream.phase.isUnanswered, "answered in phase \(stream.phase)")
        stream.dropBody()
        discard(stream.unconsumedBytes, of: stream)
        stream.unconsumedBytes = 0
        if response.isOpen {
            stream.isOpen = true
            stream.openDeadline = min(stream.clientDeadline ?? now + stream.answerTimeout, now + stream.answerTimeout)
        }
        stream.clientDeadline = nil
        let hasBody = !response.status.forbidsBody && stream.head?.method != .head && (!response.body.isEmpty || response.isOpen)
        if hasBody { stream.answer = response.body }
        session.answer(HTTP2ResponseFields(response, date: date), on: id, hasBody: hasBody)
        stream.startTransfer(at: now)
        stream.enter(.writing, until: answerDeadline(of: stream))
    }

    /// Adds to the answer on a stream, which is open; does nothing where its client has just gone.
    func continueAnswer(_ id: Int32, _ part: [UInt8], isLast: Bool, at now: Instant) {
        self.now = now
        guard let stream = streams[id], stream.isOpen else { return }
        stream.answer.removeFirst(stream.answeredBytes)
        stream.answeredBytes = 0
        stream.answer += part
        stream.isOpen = !isLast
        guard stream.isDeferred else { return }
        stream.isDeferred = false
        session.resume(id)
    }

    // MARK: Output

    /// Has the next frames ready in `output`.
    func fill(at now: Instant) {
        self.now = now
        guard phase == .open else { return }
        fillOutput()
        if misbehaviour == nil, let found = sentTooMuch {
            end(for: found)
            fillOutput()
        }
        if output.isEmpty, session.isOver { linger() }
    }

    private func fillOutput() {
        var bytes: [UInt8] = []
        let room = Self.outputBytes - output.byteCount
        while bytes.count < room, session.takeOutput(into: &bytes) {}
        output.append(bytes)
        if writeDeadline == nil, !output.isEmpty { writeDeadline = now + limits.transferGrace }
    }

    /// Some of `output` is written. The system takes it in large pieces, long before the client has read them: time is earned for good.
    func didWrite(_ count: Int, at now: Instant) {
        output.drop(count)
        let earned = Duration.seconds(Double(count) / Double(limits.minimumBytesPerSecond))
        writeDeadline = output.isEmpty ? nil : writeDeadline.map { min($0 + earned, now + limits.writeTimeout) }
        fill(at: now)
    }

    // MARK: Ends

    /// Takes no more requests once the client knows, and ends when those in work are answered.
    func finish(at now: Instant) {
        self.now = now
        guard phase == .open, farewell == .unsaid else { return }
        session.announceEnd()
        farewell = .announced(until: now + Self.announcement)
    }

    func sayFarewell() {
        guard farewell != .said else { return }
        session.end()
        farewell = .said
    }

    func close() {
        forgetStreams()
        phase = .closed
        output = HTTPOutput()
    }

    private func linger() {
        forgetStreams()
        phase = .lingering
        waitStart = now
        waitDeadline = now + limits.lingerTimeout
    }

    func end(for misbehaviour: HTTP2Misbehaviour) {
        self.misbehaviour = misbehaviour
        session.terminate(misbehaviour == .protocolError ? .protocolError : .enhanceYourCalm)
        forgetStreams()
    }

    func forgetStreams() {
        let inWork = streams.values.filter(\.isInWork)
        streams = [:]
        events += inWork.map { .gone(stream: $0.id, .disconnected) }
    }
}
