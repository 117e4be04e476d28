@testable import HTTPTransport

extension FuzzTarget {
    private static let longestTaken = 4096

    /// Whatever frames a client sends behind its preface, its connection comes to an end, and then nothing is held for it any longer.
    ///
    /// The first byte is how many pieces precede the rest, and whether the client reads; each of the next ones is how long a piece is, and the
    /// pause behind it, from none to far longer than any limit.
    static func runHTTP2(_ bytes: [UInt8]) {
        guard let count = bytes.first, bytes.count <= longestTaken else { return }
        let lengths = bytes.dropFirst().prefix(Int(count % 16))
        var rest = bytes.dropFirst(1 + lengths.count)
        var server = FuzzedHTTP2Server(clientReads: count < 128)
        server.hear(HTTP2Upgrade.preface)
        for length in lengths {
            server.hear(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
            server.pause(.milliseconds(Int(length) * Int(length) * Int(length)))
        }
        server.hear(Array(rest))
        server.waitForTheEnd()
    }
}

/// Answers what it is asked: by the head, by the whole request, or never.
private struct FuzzedHTTP2Server {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    private let budget = BodyBudget(bytes: 2048)
    private let connection: HTTP2Connection
    private let clientReads: Bool
    private var now = ContinuousClock.now
    /// Streams whose requests have been let in and not been answered.
    private var inWork: Set<Int32> = []

    init(clientReads: Bool) {
        var limits = HTTPLimits()
        (limits.headBytes, limits.headerFields, limits.requestLineBytes, limits.discardBytes, limits.smallChunks) = (1024, 8, 128, 1024, 16)
        (limits.http2.concurrentStreams, limits.http2.resetsPerSecond, limits.http2.controlFramesPerSecond) = (8, 8, 32)
        (limits.http2.streamWindowBytes, limits.http2.connectionWindowBytes) = (65_535, 65_535)
        self.clientReads = clientReads
        connection = HTTP2Connection(
            peer: SocketAddress(host: "192.0.2.1", port: 4711), limits: limits, budget: budget, at: now)
    }

    mutating func hear(_ bytes: [UInt8]) {
        // No bytes are no piece: a socket that has nothing to read is not asked.
        guard !bytes.isEmpty else { return }
        connection.receive(bytes.span, at: now)
        serve()
    }

    mutating func pause(_ duration: Duration) {
        now += duration
        _ = connection.expire(at: now)
        serve()
    }

    /// Every stream has its deadlines, one after the other, and there are few of them.
    mutating func waitForTheEnd() {
        for _ in 0..<200 {
            guard let deadline = connection.deadline else { break }
            pause(now.duration(to: max(now, deadline)))
        }
        precondition(connection.phase == .closed, "a silent client's connection does not end")
        precondition(inWork.isEmpty, "\(inWork.count) requests are in work that nobody waits for")
        precondition(budget.usedBytes == 0, "\(budget.usedBytes) bytes of bodies are held for nobody")
    }

    private mutating func serve() {
        repeat {
            while let event = connection.nextEvent(at: now) { act(on: event) }
            connection.fill(at: now)
            guard clientReads else { return }
            let written = connection.output.byteCount
            if written > 0 { connection.didWrite(written, at: now) }
        } while connection.hasEvents || !connection.output.isEmpty
    }

    private mutating func act(on event: HTTP2Connection.Event) {
        switch event {
        case .head(let stream, _) where stream % 8 == 3: answer(stream, .tooManyRequests, [])
        case .head(let stream, _):
            inWork.insert(stream)
            connection.accept(stream, maximumBodyBytes: 256, answerWithin: nil, timeout: stream % 8 == 5 ? .seconds(3) : nil, at: now)
        case .request(let stream, _) where stream % 8 == 7: break
        case .request(let stream, let request): answer(stream, .ok, request.body)
        case .failure(let stream, let error): answer(stream, error.status, Array(error.reason.utf8))
        case .gone(let stream, _): inWork.remove(stream)
        }
    }

    private mutating func answer(_ stream: Int32, _ status: HTTPStatus, _ body: [UInt8]) {
        inWork.remove(stream)
        connection.answer(stream, HTTPResponse(status: status, body: body), date: Self.date, at: now)
    }
}
