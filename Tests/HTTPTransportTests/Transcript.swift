@testable import HTTPTransport

/// What a connection said and did when it was fed some bytes: every request is admitted and answered with its own
/// method, path and body, those for `/busy` are refused with 429 by their heads, and every failure is answered with its status.
struct Transcript: Equatable {
    var events: [HTTP1Connection.Event] = []
    var output: [UInt8] = []
    var phase = HTTP1Connection.Phase.idle
    /// When it is served.
    var now = start

    static let start = ContinuousClock.now
    static let peer = SocketAddress(host: "192.0.2.1", port: 4711)
    static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    var requests: [HTTPRequest] {
        events.compactMap { if case .request(let request) = $0 { request } else { nil } }
    }

    var failures: [HTTPStatus] {
        events.compactMap { if case .failure(let error) = $0 { error.status } else { nil } }
    }

    var text: String { String(decoding: output, as: UTF8.self) }

    /// - Parameter maximumBodyBytes: what each admission allows.
    init(feeding pieces: [[UInt8]], limits: HTTPLimits = HTTPLimits(), maximumBodyBytes: Int = 1000) {
        var connection = HTTP1Connection(
            peer: Self.peer, limits: limits, budget: BodyBudget(bytes: 1 << 20), at: Self.start)
        for piece in pieces {
            connection.receive(piece.span, at: Self.start)
            serve(&connection, maximumBodyBytes: maximumBodyBytes)
        }
        phase = connection.phase
    }

    init(feeding text: String, limits: HTTPLimits = HTTPLimits(), maximumBodyBytes: Int = 1000) {
        self.init(feeding: [Array(text.utf8)], limits: limits, maximumBodyBytes: maximumBodyBytes)
    }

    /// Takes events, answers and writes until the connection waits for bytes.
    mutating func serve(_ connection: inout HTTP1Connection, maximumBodyBytes: Int = 1000) {
        while true {
            while let event = connection.nextEvent(at: now) {
                events.append(event)
                switch event {
                case .head(let head) where head.path == "/busy":
                    connection.answer(HTTPResponse(status: .tooManyRequests), date: Self.date, at: now)
                case .head:
                    connection.accept(maximumBodyBytes: maximumBodyBytes, answerWithin: nil, at: now)
                case .request(let request):
                    let echo = "\(request.head.method) \(request.head.path) " + String(decoding: request.body, as: UTF8.self)
                    connection.answer(HTTPResponse(status: .ok, text: echo), date: Self.date, at: now)
                case .failure(let error):
                    connection.answer(HTTPResponse(status: error.status), date: Self.date, at: now)
                case .http2:
                    _ = connection.takeInput()
                }
            }
            guard !connection.output.isEmpty else { return }
            let bytes = connection.output.bytes
            output += bytes
            connection.didWrite(bytes.count, at: now)
        }
    }
}

extension Transcript {
    /// Whether a connection comes to its end whatever its client says, when it falls silent, and whether it shuts down its side or not.
    /// - Parameter pauses: the time that passes after each piece.
    static func ends(feeding pieces: [[UInt8]], pauses: [Duration], shutsDown: Bool, limits: HTTPLimits, maximumBodyBytes: Int) -> Bool {
        var connection = HTTP1Connection(peer: peer, limits: limits, budget: BodyBudget(bytes: 1 << 20), at: start)
        var transcript = Transcript(feeding: [])
        for (piece, pause) in zip(pieces, pauses) {
            connection.receive(piece.span, at: transcript.now)
            transcript.serve(&connection, maximumBodyBytes: maximumBodyBytes)
            transcript.now += pause
            connection.expire(at: transcript.now)
            transcript.serve(&connection, maximumBodyBytes: maximumBodyBytes)
        }
        if shutsDown { connection.receiveEnd() }
        // A refusal, its answer, what is left of the body, what is said after the last answer, the wait for the next request: each has its time.
        for _ in 0..<6 {
            transcript.serve(&connection, maximumBodyBytes: maximumBodyBytes)
            guard let deadline = connection.deadline else { break }
            transcript.now = deadline
            connection.expire(at: deadline)
        }
        return connection.phase == .closed
    }

    /// Whether the bytes mean the same in one piece, one at a time, and cut in two anywhere.
    static func isIndependentOfPieces(_ text: String, limits: HTTPLimits = HTTPLimits(), maximumBodyBytes: Int = 1000) -> Bool {
        let bytes = Array(text.utf8)
        let feed = { (pieces: [[UInt8]]) in Transcript(feeding: pieces, limits: limits, maximumBodyBytes: maximumBodyBytes) }
        let whole = feed([bytes])
        guard feed(bytes.map { [$0] }) == whole else { return false }
        return bytes.indices.allSatisfy { cut in
            feed([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole
        }
    }
}
