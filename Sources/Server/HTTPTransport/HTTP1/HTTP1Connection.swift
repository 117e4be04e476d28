/// The server's side of one HTTP/1.1 connection, without I/O: bytes go in, events and bytes to write come out, and time is
/// an argument. Its facets (`+Answers`, `+Time`, `+Upgrade`) share what is not private.
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

    var phase = Phase.idle
    var output = HTTPOutput()
    /// When `expire` must be called; `nil` once closed.
    var deadline: Instant?
    /// Since when it waits for a request's whole head, or for the client to close: since its begin or the last answer; `nil` in any
    /// other phase.
    var waitStart: Instant?

    let limits: HTTPLimits
    let budget: BodyBudget
    private let peer: SocketAddress

    var input = InputBuffer()
    var inputEnded = false
    private var headReader: HTTP1HeadReader
    var head: HTTPRequestHead?
    var framing: HTTP1Framing?
    /// What is still to come of a head that was too large; its body's reader follows from it.
    var skimmer: HTTP1HeadSkimmer?
    /// From the head to the end of the body or the answer, whichever comes last.
    var body: HTTP1BodyReader?
    var failure: HTTPError?
    var answerTimeout: Duration
    /// When the client stops waiting, if it has said so.
    var clientDeadline: Instant?

    var isLastAnswer = false
    /// Whether the answer in work comes in chunks; without them, its end is that of the connection.
    var isChunked = false
    /// Whether what comes may be the preface of HTTP/2: nothing has come before.
    private var mayBeHTTP2 = true
    var transferStart: Instant
    var transferredBytes = 0

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

    /// Whether more of the request in work is to be read, if only to be thrown away.
    var isRequestPending: Bool {
        mutating get {
            if skimmer != nil { return true }
            return body?.isComplete == false
        }
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
            discard(at: now)
        case .writing:
            input.append(bytes)
            discard(at: now)
        case .refusing:
            // Without a body's framing, what follows has no meaning.
            if skimmer != nil || body != nil { input.append(bytes) }
        case .head, .admission, .handling, .streaming:
            input.append(bytes)
        }
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
        switch try headReader.read(from: &input, peer: peer) {
        case nil:
            return try waitForInput()
        case .whole(let head, let framing):
            self.head = head
            self.framing = framing
            body = HTTP1BodyReader(framing, limits: limits, budget: budget)
            enter(.admission, until: now + limits.answerTimeout)
            return .head(head)
        case .tooLarge(let head, let skimmer, let error):
            self.head = head
            self.skimmer = skimmer
            throw error
        }
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

    // MARK: State

    mutating func startTransfer(at now: Instant) {
        transferStart = now
        transferredBytes = 0
    }

    mutating func enter(_ phase: Phase, until deadline: Instant) {
        self.phase = phase
        self.deadline = deadline
        if phase != .head { waitStart = nil }
    }

    mutating func forgetRequest() {
        head = nil
        framing = nil
        skimmer = nil
        body = nil
        failure = nil
        headReader = HTTP1HeadReader(limits: limits)
    }
}
