import Testing

@testable import HTTPTransport

/// Every phase of a connection has its deadline, and time is an argument.
@Suite struct HTTP1DeadlineTests {
    let start = Transcript.start
    let limits = {
        var limits = HTTPLimits()
        limits.headTimeout = .seconds(5)
        limits.keepAliveTimeout = .seconds(50)
        limits.answerTimeout = .seconds(20)
        limits.transferGrace = .seconds(2)
        limits.minimumBytesPerSecond = 10
        limits.lingerTimeout = .seconds(3)
        limits.bodyTimeout = .seconds(30)
        limits.writeTimeout = .seconds(60)
        return limits
    }()

    func connection(after text: String = "") -> HTTP1Connection {
        var connection = HTTP1Connection(
            peer: Transcript.peer, limits: limits, budget: BodyBudget(bytes: 1 << 20), at: start)
        if !text.isEmpty {
            connection.receive(Array(text.utf8).span, at: start)
        }
        return connection
    }

    /// The status it fails with after `seconds`; `nil` if it does not.
    func failure(of connection: inout HTTP1Connection, after seconds: Int) -> HTTPStatus? {
        connection.expire(at: start + .seconds(seconds))
        guard case .failure(let error) = connection.nextEvent(at: start + .seconds(seconds)) else { return nil }
        return error.status
    }

    @Test func silentConnectionClosesWithoutAWord() {
        var connection = connection()
        connection.expire(at: start + .milliseconds(4999))
        #expect(connection.phase == .idle)
        connection.expire(at: start + .seconds(5))
        #expect(connection.phase == .closed)
        #expect(connection.deadline == nil)
    }

    @Test func tricklingHeadDoesNotExtendItsTime() {
        var connection = connection(after: "G")
        connection.receive(Array("ET".utf8).span, at: start + .seconds(4))
        #expect(connection.deadline == start + .seconds(5))
        #expect(failure(of: &connection, after: 4) == nil)
        #expect(failure(of: &connection, after: 5) == .requestTimeout)
    }

    @Test func aClientThatSaysHowLongItWaitsIsToldInTime() {
        for text in ["", "12"] {
            var connection = connection(after: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n" + text)
            _ = connection.nextEvent(at: start)
            connection.accept(maximumBodyBytes: 100, answerWithin: .seconds(9), timeout: .milliseconds(1500), at: start)
            _ = connection.nextEvent(at: start)
            #expect(connection.phase == (text.isEmpty ? .body : .handling))
            #expect(connection.deadline == start + .milliseconds(1500))
            connection.expire(at: start + .milliseconds(1499))
            #expect(connection.nextEvent(at: start + .milliseconds(1499)) == nil)
            #expect(failure(of: &connection, after: 2) == .gatewayTimeout)
        }
    }

    @Test func bodyMustKeepItsAverageRate() {
        var connection = connection(after: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
        _ = connection.nextEvent(at: start)
        connection.accept(maximumBodyBytes: 100, answerWithin: nil, at: start)
        #expect(connection.deadline == start + .seconds(2))
        // Ten bytes a second are asked for: five bytes earn half a second.
        connection.receive([UInt8](repeating: 0, count: 5).span, at: start + .seconds(1))
        #expect(connection.deadline == start + .milliseconds(2500))
        // A burst earns the grace and no more, or it would pay for hours of silence.
        connection.receive([UInt8](repeating: 0, count: 90).span, at: start + .seconds(2))
        #expect(connection.deadline == start + .seconds(4))
        #expect(failure(of: &connection, after: 3) == nil)
        #expect(failure(of: &connection, after: 4) == .requestTimeout)
    }

    /// Forty bytes a second are more than enough, but not for ever.
    @Test func bodyMayTakeSoLongAtAnyRate() {
        var connection = connection(after: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n")
        _ = connection.nextEvent(at: start)
        connection.accept(maximumBodyBytes: 10000, answerWithin: nil, at: start)
        for second in 1..<30 {
            connection.receive([UInt8](repeating: 0, count: 40).span, at: start + .seconds(second))
            #expect(connection.nextEvent(at: start + .seconds(second)) == nil)
        }
        #expect(connection.deadline == start + .seconds(30))
        #expect(failure(of: &connection, after: 30) == .requestTimeout)
    }

    /// While memory for bodies runs short, they must come sixteen times as fast.
    @Test func slowBodiesGoFirstWhenTheBudgetIsScarce() {
        let budget = BodyBudget(bytes: 1000)
        var other = BodyReservation(from: budget)
        for (taken, earned) in [(0, Duration.seconds(2)), (800, .milliseconds(500))] {
            let isTaken = other.grow(to: taken)
            #expect(isTaken)
            var connection = HTTP1Connection(peer: Transcript.peer, limits: limits, budget: budget, at: start)
            connection.receive(Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n".utf8).span, at: start)
            _ = connection.nextEvent(at: start)
            connection.accept(maximumBodyBytes: 100, answerWithin: nil, at: start)
            connection.receive([UInt8](repeating: 0, count: 80).span, at: start + .seconds(2))
            #expect(connection.deadline == start + .seconds(2) + earned)
        }
    }

    @Test func paceTellsWhoWaitsAndWhoIsSlow() {
        var connection = connection()
        #expect(connection.pace(at: start) == Pace(bytesPerSecond: 0, since: start))
        connection.receive(Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n".utf8).span, at: start + .seconds(1))
        #expect(connection.pace(at: start + .seconds(1)) == Pace(bytesPerSecond: 0, since: start))
        _ = connection.nextEvent(at: start + .seconds(1))
        #expect(connection.pace(at: start + .seconds(1)) == nil)
        connection.accept(maximumBodyBytes: 100, answerWithin: nil, at: start + .seconds(2))
        connection.receive([UInt8](repeating: 0, count: 60).span, at: start + .seconds(3))
        #expect(connection.pace(at: start + .seconds(4)) == Pace(bytesPerSecond: 30, since: start + .seconds(2)))
        connection.receive([UInt8](repeating: 0, count: 40).span, at: start + .seconds(4))
        _ = connection.nextEvent(at: start + .seconds(4))
        #expect(connection.pace(at: start + .seconds(4)) == nil)
        connection.answer(HTTPResponse(status: .ok), date: Transcript.date, at: start + .seconds(5))
        connection.didWrite(10, at: start + .seconds(6))
        #expect(connection.pace(at: start + .seconds(6)) == Pace(bytesPerSecond: 10, since: start + .seconds(5)))
    }

    @Test(arguments: [(nil, 20), (.seconds(4), 4)] as [(Duration?, Int)])
    func answerIsOverdue(_ within: Duration?, seconds: Int) {
        var connection = connection(after: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = connection.nextEvent(at: start)
        connection.accept(maximumBodyBytes: 0, answerWithin: within, at: start)
        _ = connection.nextEvent(at: start)
        #expect(connection.phase == .handling)
        #expect(failure(of: &connection, after: seconds - 1) == nil)
        #expect(failure(of: &connection, after: seconds) == .gatewayTimeout)
    }

    @Test func slowReaderIsCutOffAndAQuickOneIsNot() {
        var connection = connection(after: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = connection.nextEvent(at: start)
        connection.answer(
            HTTPResponse(status: .ok, body: [UInt8](repeating: 0, count: 1000)), date: Transcript.date, at: start)
        #expect(connection.deadline == start + .seconds(2))
        connection.didWrite(500, at: start + .seconds(1))
        #expect(connection.deadline == start + .seconds(52))
        connection.expire(at: start + .seconds(52))
        #expect(connection.phase == .closed)
        #expect(connection.output.isEmpty)
    }

    @Test func restingAndLingeringEnd() {
        var transcript = Transcript(feeding: [])
        for (text, phase, seconds) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1Connection.Phase.idle, 50), ("x\r\n", .lingering, 3),
        ] {
            var connection = connection(after: text)
            transcript.serve(&connection)
            #expect(connection.phase == phase)
            #expect(connection.deadline == start + .seconds(seconds))
            #expect(connection.waitStart == start)
            connection.expire(at: start + .seconds(seconds))
            #expect(connection.phase == .closed)
        }
    }
}
