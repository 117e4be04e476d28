@testable import HTTPTransport

/// A client that says exactly the frames it is told to, and a server that answers each request with its method, path and body. What is asked of
/// `/busy` is refused with 429 by its head, what is asked of `/hold` has to be answered by the test, and every failure with its status.
final class HTTP2Dialogue {
    let connection: HTTP2Connection
    var now = Transcript.start
    /// Takes what the server writes.
    var reads = true
    private(set) var events: [HTTP2Connection.Event] = []
    private(set) var heard = HTTP2Reading()
    private let maximumBodyBytes: Int

    /// - Parameter isGreeted: whether the client has said its preface.
    init(
        _ configure: (inout HTTPLimits) -> Void = { _ in }, maximumBodyBytes: Int = 4 << 20, budget: Int = 8 << 20, isGreeted: Bool = true,
        settings: [(UInt8, UInt32)] = []
    ) {
        var limits = HTTPLimits()
        configure(&limits)
        self.maximumBodyBytes = maximumBodyBytes
        connection = HTTP2Connection(peer: Transcript.peer, limits: limits, budget: BodyBudget(bytes: budget), at: now)
        if isGreeted { say(HTTP2Upgrade.preface + HTTP2Frame.settings(settings).bytes) }
    }

    var requests: [HTTPRequest] {
        events.compactMap { if case .request(_, let request) = $0 { request } else { nil } }
    }

    var failures: [HTTPStatus] {
        events.compactMap { if case .failure(_, let error) = $0 { error.status } else { nil } }
    }

    /// Streams whose answers nobody waits for.
    var gone: [Int32] {
        events.compactMap { if case .gone(let stream, _) = $0 { stream } else { nil } }
    }

    func say(_ frames: HTTP2Frame...) { say(frames.flatMap(\.bytes)) }

    func say(_ bytes: [UInt8]) {
        connection.receive(bytes.span, at: now)
        serve()
    }

    /// Lets time pass, and has what is overdue end.
    func wait(_ duration: Duration) -> [LoopCounters.Timeout] {
        now += duration
        defer { serve() }
        return connection.expire(at: now)
    }

    func answer(_ stream: Int32, _ response: HTTPResponse) {
        connection.answer(stream, response, date: Transcript.date, at: now)
        serve()
    }

    /// Acts, and reads what the server says.
    func serve() {
        repeat {
            while let event = connection.nextEvent(at: now) {
                events.append(event)
                act(on: event)
            }
            connection.fill(at: now)
            guard reads else { return }
            let bytes = connection.output.bytes
            heard.read(bytes)
            if !bytes.isEmpty { connection.didWrite(bytes.count, at: now) }
        } while connection.hasEvents || !connection.output.isEmpty
    }

    private func act(on event: HTTP2Connection.Event) {
        switch event {
        case .head(let stream, let head) where head.path == "/busy":
            connection.answer(stream, HTTPResponse(status: .tooManyRequests), date: Transcript.date, at: now)
        case .head(let stream, _):
            connection.accept(stream, maximumBodyBytes: maximumBodyBytes, answerWithin: nil, timeout: nil, at: now)
        case .request(_, let request) where request.head.path == "/hold": break
        case .request(let stream, let request):
            let echo = Array("\(request.head.method) \(request.head.path) ".utf8) + request.body
            connection.answer(stream, HTTPResponse(status: .ok, body: echo), date: Transcript.date, at: now)
        case .failure(let stream, let error):
            connection.answer(stream, HTTPResponse(status: error.status, text: error.reason), date: Transcript.date, at: now)
        case .gone: break
        }
    }

    /// Whether the connection still serves.
    func stillServes(_ stream: Int32) -> Bool {
        say(.get(stream, "/still"))
        return heard.answers[stream]?.status == .ok
    }

    /// Sends a body as the windows allow.
    /// - Returns: false where the server lets it wait for ever.
    func upload(_ body: [UInt8], on stream: Int32) -> Bool {
        var sent = 0
        while sent < body.count {
            let room = min(heard.window(stream), heard.window(0)) - sent
            guard room > 0 else { return false }
            let piece = body[sent..<min(body.count, sent + min(room, 16_384))]
            sent += piece.count
            say(.data(stream, Array(piece), ends: sent == body.count))
        }
        return true
    }
}
