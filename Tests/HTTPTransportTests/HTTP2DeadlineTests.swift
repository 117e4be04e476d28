import Testing

@testable import HTTPTransport

/// What time ends: streams by themselves, and connections that nothing happens on.
@Suite struct HTTP2DeadlineTests {
    @Test func connectionThatAsksNothingEnds() {
        let dialogue = HTTP2Dialogue()
        #expect(dialogue.connection.deadline == Transcript.start + .seconds(10))
        #expect(dialogue.wait(.seconds(10)) == [.idle])
        #expect(dialogue.heard.goAway == 0)
        #expect(dialogue.connection.phase == .lingering)
        _ = dialogue.wait(.seconds(3))
        #expect(dialogue.connection.phase == .closed)
        #expect(dialogue.connection.deadline == nil)
    }

    @Test func connectionMayRestBetweenRequests() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1))
        #expect(dialogue.wait(.seconds(59)) == [])
        #expect(dialogue.stillServes(3))
        // A ping is no request.
        #expect(dialogue.wait(.seconds(59)) == [])
        dialogue.say(.ping)
        #expect(dialogue.wait(.seconds(1)) == [.idle])
    }

    @Test func answerThatIsLateIs504() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"))
        #expect(dialogue.wait(.seconds(60)) == [.answer])
        #expect(dialogue.heard.answers[1]?.status == .gatewayTimeout)
        #expect(dialogue.stillServes(3))
    }

    @Test func bodyThatIsSlowIs408() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.post(1), .get(3, "/hold"))
        dialogue.say(.data(1, [UInt8](repeating: 0, count: 8192)))
        #expect(dialogue.wait(.seconds(9)) == [])
        dialogue.say(.data(1, [UInt8](repeating: 0, count: 8192)))
        #expect(dialogue.wait(.seconds(2)) == [])
        #expect(dialogue.wait(.seconds(1)) == [.body])
        #expect(dialogue.heard.answers[1]?.status == .requestTimeout)
        dialogue.answer(3, HTTPResponse(status: .ok))
        #expect(dialogue.heard.answers[3]?.status == .ok)
    }

    /// CVE-2019-9517 and its like: a client that asks for much, and makes room for nothing.
    @Test func answerThatTheClientMakesNoRoomForIsReset() {
        let dialogue = HTTP2Dialogue(settings: [(4, 0)])
        dialogue.say(.get(1), .get(3))
        #expect(dialogue.wait(.seconds(9)) == [])
        dialogue.say(.windowUpdate(3, 4 << 10))
        #expect(dialogue.heard.finished == [3])
        #expect(dialogue.wait(.seconds(1)) == [.write])
        #expect(dialogue.heard.reset(1) == 8)
        dialogue.say(.settings([(4, 100)]))
        #expect(dialogue.stillServes(5))
    }

    @Test func stallsCountAsResets() {
        let dialogue = HTTP2Dialogue({ $0.http2.resetsPerSecond = 5 }, settings: [(4, 0)])
        for stream in 0..<6 { dialogue.say(.get(Int32(2 * stream + 1))) }
        _ = dialogue.wait(.seconds(10))
        #expect(dialogue.connection.takeMisbehaviour() == .resets)
        #expect(dialogue.heard.goAway == 11)
    }

    @Test func clientThatDoesNotReadIsLeft() {
        let dialogue = HTTP2Dialogue()
        dialogue.reads = false
        dialogue.say(.get(1))
        #expect(dialogue.wait(.seconds(9)) == [])
        #expect(dialogue.wait(.seconds(1)) == [.write])
        #expect(dialogue.connection.phase == .closed)
    }

    @Test func readingStopsWhileTheClientDoesNotRead() {
        let dialogue = HTTP2Dialogue(settings: [(4, .max >> 1)])
        dialogue.say(.windowUpdate(0, 1 << 30), .get(1, "/hold"))
        dialogue.reads = false
        dialogue.answer(1, HTTPResponse(status: .ok, body: [UInt8](repeating: 0, count: 1 << 20)))
        #expect(dialogue.connection.output.byteCount < 200_000)
        #expect(!dialogue.connection.wantsInput)
        dialogue.reads = true
        dialogue.serve()
        #expect(dialogue.connection.wantsInput)
        #expect(dialogue.heard.answers[1]?.body.count == 1 << 20)
    }

    @Test func paceIsThatOfTheFastestStream() {
        let start = Transcript.start
        let dialogue = HTTP2Dialogue()
        #expect(dialogue.connection.pace(at: start) == Pace(bytesPerSecond: 0, since: start))
        dialogue.say(.post(1), .post(3))
        dialogue.say(.data(1, [UInt8](repeating: 0, count: 3000)))
        #expect(dialogue.connection.pace(at: start + .seconds(2)) == Pace(bytesPerSecond: 1500, since: start))
        dialogue.say(.get(5, "/hold"))
        #expect(dialogue.connection.pace(at: start + .seconds(2)) == nil)
    }
}
