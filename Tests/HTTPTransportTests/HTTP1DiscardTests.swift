import Testing

@testable import HTTPTransport

/// Refusals that keep the connection: what nobody wants of a body is thrown away, and never read as a request.
@Suite struct HTTP1DiscardTests {
    static let limits = {
        var limits = HTTPLimits()
        limits.discardBytes = 100
        return limits
    }()
    static let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
    static let hundred = String(repeating: "h", count: 100)

    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let text: String
        var testDescription: String { "\(status) \(text.debugDescription.suffix(100))" }

        init(_ status: Int, _ path: String, _ rest: String, version: String = "HTTP/1.1") {
            self.status = status
            text = "POST \(path) \(version)\r\nHost: a\r\n" + rest
        }
    }

    static let kept = [
        Case(429, "/busy", "\r\n"),
        Case(429, "/busy", "Content-Length: 5\r\n\r\nhello"),
        Case(429, "/busy", "Content-Length: 100\r\n\r\n" + hundred),
        Case(429, "/busy", "Content-Length: \(next.utf8.count)\r\n\r\n" + next),
        Case(429, "/busy", "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"),
        Case(429, "/busy", "Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", version: "HTTP/1.0"),
        Case(429, "/busy", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Case(429, "/busy", "Transfer-Encoding: chunked\r\n\r\n32;x\r\n\(hundred.prefix(50))\r\n32\r\n\(hundred.prefix(50))\r\n0\r\nX: y\r\n\r\n"),
        Case(413, "/", "Content-Length: 11\r\n\r\nhello world"),
        Case(413, "/", "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n" + hundred),
        Case(413, "/", "Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"),
        Case(413, "/", "Transfer-Encoding: chunked\r\n\r\na\r\nhello worl\r\n1\r\nd\r\n63\r\n\(hundred.prefix(99))\r\n0\r\n\r\n"),
    ]

    @Test(arguments: kept) func connectionServesTheNextRequest(_ example: Case) {
        let text = example.text + Self.next
        let transcript = Transcript(feeding: text, limits: Self.limits, maximumBodyBytes: 10)
        #expect(transcript.text.hasPrefix("HTTP/1.1 \(example.status) "))
        #expect(!transcript.text.contains("Connection: close"))
        #expect(!transcript.text.contains("100 Continue"))
        #expect(transcript.requests.map(\.head.path) == ["/next"])
        #expect(transcript.phase == .idle)
        #expect(Transcript.isIndependentOfPieces(text, limits: Self.limits, maximumBodyBytes: 10))
    }

    /// What is known to be too much when the answer is given.
    static let announced = [
        Case(429, "/busy", "Content-Length: 101\r\n\r\n" + hundred + "h"),
        Case(429, "/busy", "Content-Length: 5\r\nConnection: close\r\n\r\nhello"),
        Case(429, "/busy", "Content-Length: 5\r\n\r\nhello", version: "HTTP/1.0"),
        Case(413, "/", "Content-Length: 101\r\n\r\n" + hundred + "h"),
        Case(413, "/", "Transfer-Encoding: chunked\r\n\r\n65\r\n\(hundred)h\r\n0\r\n\r\n"),
    ]
    /// What turns out too much, or malformed, behind the answer.
    static let surprising = [
        Case(429, "/busy", "Transfer-Encoding: chunked\r\n\r\n65\r\n\(hundred)h\r\n0\r\n\r\n"),
        Case(429, "/busy", "Transfer-Encoding: chunked\r\n\r\n64\r\n\(hundred)\r\n1\r\nh\r\n0\r\n\r\n"),
        Case(429, "/busy", "Transfer-Encoding: chunked\r\n\r\nx\r\n"),
        Case(429, "/busy", "Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n"),
        Case(413, "/", "Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n5a\r\n\(hundred.prefix(90))\r\n0\r\n\r\n"),
    ]

    @Test(arguments: announced + surprising) func connectionEnds(_ example: Case) {
        let text = example.text + Self.next
        let transcript = Transcript(feeding: text, limits: Self.limits, maximumBodyBytes: 10)
        let isAnnounced = Self.announced.contains { $0.text == example.text }
        #expect(transcript.text.hasPrefix("HTTP/1.1 \(example.status) "))
        #expect(transcript.text.contains("\r\nConnection: close\r\n") == isAnnounced)
        #expect(transcript.requests.isEmpty)
        #expect(transcript.phase == .lingering)
        #expect(Transcript.isIndependentOfPieces(text, limits: Self.limits, maximumBodyBytes: 10))
    }

    /// A hundred fields besides Host: one more than the limit, so that the last of them is too many.
    static let many = String(repeating: "X: y\r\n", count: 100)
    static let readOn = [
        Case(431, "/", many + "\r\n"),
        Case(431, "/", many + "Content-Length: 5\r\nZ: z\r\n\r\nhello"),
        Case(431, "/", many + "Content-Length: \(next.utf8.count)\r\n\r\n" + next),
        Case(431, "/", "Content-Length: 5\r\n" + many + "\r\nhello"),
        Case(431, "/", many + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ]

    /// The rest of a head that is too large is read for its framing, and never as a request.
    @Test(arguments: readOn) func headThatIsTooLargeKeepsTheConnection(_ example: Case) {
        let text = example.text + Self.next
        let transcript = Transcript(feeding: text, limits: Self.limits)
        #expect(transcript.failures == [.requestHeaderFieldsTooLarge])
        #expect(!transcript.text.contains("Connection: close"))
        #expect(transcript.requests.map(\.head.path) == ["/next"])
        #expect(transcript.phase == .idle)
        #expect(Transcript.isIndependentOfPieces(text, limits: Self.limits))
    }

    /// What leaves it uncertain where the request ends, or that there is another.
    static let uncertain = [
        Case(431, "/", many + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        Case(431, "/", "Content-Length: 5\r\n" + many + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Case(431, "/", many + "Content-Length: 101\r\n\r\n" + hundred + "h"),
        Case(431, "/", many + "Connection: close\r\n\r\n"),
        Case(431, "/", many + "Z: z\n\r\n\r\n"),
        Case(431, "/", many + " folded\r\n\r\n"),
        Case(431, "/", many + "no colon\r\n\r\n"),
        Case(431, "/", many + "Host: b\r\n\r\n"),
        Case(431, "/", many + "Z: " + hundred + "\r\n\r\n"),
    ]

    @Test(arguments: uncertain) func headThatIsTooLargeAndUncertainEndsTheConnection(_ example: Case) {
        let text = example.text + Self.next
        let transcript = Transcript(feeding: text, limits: Self.limits)
        #expect(transcript.failures == [.requestHeaderFieldsTooLarge])
        #expect(transcript.requests.isEmpty)
        #expect(transcript.phase == .lingering)
        #expect(Transcript.isIndependentOfPieces(text, limits: Self.limits))
    }

    /// Of a line of any length only its beginning is kept: enough for a name, and for a framing field in good faith.
    @Test func longLinesAreSkippedUnlessTheyFrame() {
        var limits = HTTPLimits()
        limits.headBytes = 100
        let long = String(repeating: " ", count: 5000)
        for (field, kept) in [("Cookie: \(long)a", ["/next"]), ("Content-Length: \(long)5", []), ("content-length:5\(long)", []), (long, [])] {
            let text = "POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\nContent-Length: 5\r\n\r\nhello" + Self.next
            let transcript = Transcript(feeding: text, limits: limits)
            #expect(transcript.failures == [.requestHeaderFieldsTooLarge])
            #expect(transcript.requests.map(\.head.path) == kept)
            #expect(transcript.phase == (kept.isEmpty ? .lingering : .idle))
        }
    }

    /// A megabyte of the shortest lines would be 200,000 of them.
    @Test func linesAreSkippedUpToTenTimesTheFields() {
        var limits = HTTPLimits()
        limits.headerFields = 4
        // Host, four that are read of which the last is too many, and those behind it.
        for (lines, kept) in [(4 + 40, ["/next"]), (4 + 41, [])] {
            let text = "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X:\r\n", count: lines) + "\r\n" + Self.next
            let transcript = Transcript(feeding: text, limits: limits)
            #expect(transcript.failures == [.requestHeaderFieldsTooLarge])
            #expect(transcript.requests.map(\.head.path) == kept)
        }
    }

    @Test func olderClientsWithTooLargeHeadsAreClosed() {
        let text = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n" + Self.many + "\r\n" + Self.next
        let transcript = Transcript(feeding: text, limits: Self.limits)
        #expect(transcript.text.contains("\r\nConnection: close\r\n"))
        #expect(transcript.requests.isEmpty)
    }

    /// An answer to HEAD has no body, even where its head was not taken whole.
    @Test func headRequestThatIsTooLargeIsAnsweredWithoutBody() {
        var connection = HTTP1ConnectionTests.connection()
        connection.receive(Array("HEAD / HTTP/1.1\r\nHost: a\r\n\(Self.many)\r\n".utf8).span, at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        connection.answer(HTTPResponse(status: .requestHeaderFieldsTooLarge, text: "too large"), date: Transcript.date, at: Transcript.start)
        #expect(String(decoding: connection.output.bytes, as: UTF8.self).hasSuffix("\r\n\r\n"))
    }

    @Test func overdueAnswerKeepsTheConnection() {
        var connection = HTTP1ConnectionTests.connection()
        var transcript = Transcript(feeding: [])
        connection.receive(Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".utf8).span, at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        connection.accept(maximumBodyBytes: 1, answerWithin: .seconds(1), at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        #expect(connection.expire(at: Transcript.start + .seconds(1)) == .handling)
        transcript.serve(&connection)
        #expect(transcript.failures == [.gatewayTimeout])
        #expect(connection.phase == .idle)
    }

    @Test func answerGivenWithinTheBodyThrowsTheRestAway() {
        let budget = BodyBudget(bytes: 10)
        var connection = HTTP1Connection(peer: Transcript.peer, limits: Self.limits, budget: budget, at: Transcript.start)
        var transcript = Transcript(feeding: [])
        connection.receive(Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1234".utf8).span, at: Transcript.start)
        transcript.serve(&connection)
        #expect(budget.usedBytes == 4)
        connection.answer(HTTPResponse(status: .internalServerError), date: Transcript.date, at: Transcript.start)
        #expect(budget.usedBytes == 0)
        transcript.serve(&connection)
        #expect(connection.phase == .discarding)
        connection.receive(Array(("56789" + Self.next).utf8).span, at: Transcript.start)
        transcript.serve(&connection)
        #expect(transcript.requests.map(\.head.path) == ["/next"])
        #expect(budget.usedBytes == 0)
    }

    @Test func clientThatLeavesOrStopsSendingEndsTheDiscarding() {
        let head = "PUT /busy HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
        for ends in [true, false] {
            var connection = HTTP1ConnectionTests.connection()
            var transcript = Transcript(feeding: [])
            connection.receive(Array(head.utf8).span, at: Transcript.start)
            transcript.serve(&connection)
            #expect(connection.phase == .discarding)
            #expect(connection.wantsInput == true)
            if ends {
                connection.receiveEnd()
            } else {
                #expect(connection.expire(at: Transcript.start + HTTPLimits().transferGrace) == .discarding)
            }
            #expect(connection.phase == .closed)
        }
    }

    @Test func drainingEndsTheConnectionBehindTheDiscardedBody() {
        var connection = HTTP1ConnectionTests.connection()
        var transcript = Transcript(feeding: [])
        connection.receive(Array("PUT /busy HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1".utf8).span, at: Transcript.start)
        transcript.serve(&connection)
        connection.finish()
        #expect(connection.phase == .discarding)
        connection.receive(Array(("2" + Self.next).utf8).span, at: Transcript.start)
        transcript.serve(&connection)
        #expect(transcript.requests.isEmpty)
        #expect(connection.phase == .lingering)
    }
}
