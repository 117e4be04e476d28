import Testing

@testable import HTTPTransport

/// What a connection does between and around requests: persistence, order, interim answers, ends.
@Suite struct HTTP1ConnectionTests {
    static func get(_ path: String, _ fields: String = "", version: String = "HTTP/1.1") -> String {
        "GET \(path) \(version)\r\nHost: a\r\n\(fields)\r\n"
    }

    static func connection(_ limits: HTTPLimits = HTTPLimits()) -> HTTP1Connection {
        HTTP1Connection(peer: Transcript.peer, limits: limits, budget: BodyBudget(bytes: 1 << 20), at: Transcript.start)
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() {
        let transcript = Transcript(feeding: Self.get("/1") + Self.get("/2") + Self.get("/3"))
        #expect(transcript.requests.map(\.head.path) == ["/1", "/2", "/3"])
        #expect(transcript.text.split(separator: "\r\n\r\n").count == 4)
        #expect(transcript.phase == .idle)
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: x\r\nconnection: y , CLOSE\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\n", true), ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true), ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ])
    func persistence(version: String, fields: String, keepsAlive: Bool) {
        let transcript = Transcript(feeding: Self.get("/", fields, version: version) + Self.get("/next"))
        #expect(transcript.requests.count == (keepsAlive ? 2 : 1))
        #expect(transcript.text.contains("Connection: close") == !keepsAlive)
        #expect(transcript.text.contains("Connection: keep-alive") == (keepsAlive && version == "HTTP/1.0"))
    }

    @Test func continueIsSentOnceTheBodyIsWanted() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
        var connection = Self.connection()
        connection.receive(Array(head.utf8).span, at: Transcript.start)
        guard case .head = connection.nextEvent(at: Transcript.start) else { return #expect(Bool(false)) }
        #expect(connection.output.isEmpty)
        connection.accept(maximumBodyBytes: 5, answerWithin: nil, at: Transcript.start)
        #expect(connection.output.bytes == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    @Test func continueIsNotSentForABodyThatIsRefused() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        let transcript = Transcript(feeding: head, maximumBodyBytes: 4)
        #expect(transcript.text.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
        #expect(transcript.phase == .discarding)
    }

    @Test func headAnswersHaveALengthAndNoBody() {
        let transcript = Transcript(feeding: "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(transcript.text.contains("\r\nContent-Length: 8\r\n"))
        #expect(transcript.text.hasSuffix("\r\n\r\n"))
    }

    @Test func readingStopsWhileTooManyBytesWait() {
        var limits = HTTPLimits()
        limits.headBytes = 200
        var connection = Self.connection(limits)
        connection.receive(Array(Self.get("/1").utf8).span, at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        #expect(connection.wantsInput == true)
        connection.receive(Array(String(repeating: Self.get("/2"), count: 10).utf8).span, at: Transcript.start)
        #expect(connection.wantsInput == false)
        connection.accept(maximumBodyBytes: 0, answerWithin: nil, at: Transcript.start)
        var transcript = Transcript(feeding: [])
        transcript.serve(&connection)
        #expect(transcript.requests.count == 11)
        #expect(connection.wantsInput == true)
    }

    @Test func halfClosedClientIsProbedAndAnswered() {
        var connection = Self.connection()
        var transcript = Transcript(feeding: [])
        connection.receive(Array(Self.get("/").utf8).span, at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        connection.accept(maximumBodyBytes: 0, answerWithin: nil, at: Transcript.start)
        let request = connection.nextEvent(at: Transcript.start)
        connection.receiveEnd()
        #expect(connection.output.bytes == HTTP1ResponseEncoder.continueAnswer)
        #expect(connection.phase == .handling)
        #expect(connection.wantsInput == false)
        #expect(request != nil)
        connection.answer(HTTPResponse(status: .ok), date: Transcript.date, at: Transcript.start)
        transcript.serve(&connection)
        #expect(transcript.text.contains("HTTP/1.1 200 OK\r\n"))
        #expect(connection.phase == .closed)
    }

    @Test(arguments: ["GET", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1"])
    func endWithinARequestIsAnErrorAndWithinNoneIsNot(_ text: String) {
        var connection = Self.connection()
        var transcript = Transcript(feeding: [])
        connection.receive(Array((Self.get("/") + text).utf8).span, at: Transcript.start)
        transcript.serve(&connection)
        connection.receiveEnd()
        transcript.serve(&connection)
        #expect(transcript.failures == [.badRequest])
        #expect(connection.phase == .closed)

        var idle = Self.connection()
        idle.receiveEnd()
        #expect(idle.phase == .closed)
    }

    @Test func lingeringDropsABoundedAmount() {
        var limits = HTTPLimits()
        limits.lingerBytes = 100
        var connection = Self.connection(limits)
        var transcript = Transcript(feeding: [])
        connection.receive(Array("x\r\n".utf8).span, at: Transcript.start)
        transcript.serve(&connection)
        #expect(connection.phase == .lingering)
        connection.receive([UInt8](repeating: 0, count: 100).span, at: Transcript.start)
        #expect(connection.phase == .lingering)
        connection.receive([0].span, at: Transcript.start)
        #expect(connection.phase == .closed)
    }

    @Test func finishingLetsTheRequestInWorkEnd() {
        var connection = Self.connection()
        var transcript = Transcript(feeding: [])
        connection.receive(Array("GET / HT".utf8).span, at: Transcript.start)
        connection.finish()
        #expect(connection.phase == .head)
        connection.receive(Array(("TP/1.1\r\nHost: a\r\n\r\n" + Self.get("/next")).utf8).span, at: Transcript.start)
        transcript.serve(&connection)
        #expect(transcript.requests.map(\.head.path) == ["/"])
        #expect(transcript.text.contains("Connection: close"))

        var idle = Self.connection()
        idle.finish()
        #expect(idle.phase == .closed)
    }

    @Test func outputSurvivesPartialWrites() {
        var connection = Self.connection()
        connection.receive(Array(Self.get("/").utf8).span, at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        let body = (0..<100).map { UInt8($0) }
        connection.answer(HTTPResponse(status: .ok, body: body), date: Transcript.date, at: Transcript.start)
        let all = connection.output.bytes
        var written: [UInt8] = []
        while connection.phase == .writing {
            let count = min(7, connection.output.bytes.count)
            written += connection.output.bytes.prefix(count)
            connection.didWrite(count, at: Transcript.start)
        }
        #expect(written == all)
        #expect(connection.phase == .idle)
    }
}
