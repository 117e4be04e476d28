import Testing

@testable import HTTPTransport

/// Clients that cost more than they are worth: each is told to calm down, and its connection ends.
@Suite struct HTTP2MisbehaviourTests {
    private static let calm: UInt32 = 11

    private func expect(_ misbehaviour: HTTP2Misbehaviour, _ code: UInt32 = calm, in dialogue: HTTP2Dialogue) {
        #expect(dialogue.connection.takeMisbehaviour() == misbehaviour)
        #expect(dialogue.connection.takeMisbehaviour() == nil)
        #expect(dialogue.heard.goAway == code)
        #expect(dialogue.connection.phase == .lingering)
    }

    /// CVE-2023-44487.
    @Test func rapidReset() {
        let dialogue = HTTP2Dialogue { $0.http2.resetsPerSecond = 20 }
        dialogue.say(.get(1, "/hold"))
        for stream in 1...20 { dialogue.say(.get(Int32(2 * stream + 1)), .reset(Int32(2 * stream + 1))) }
        #expect(dialogue.connection.phase == .open)
        dialogue.say(.get(43), .reset(43))
        expect(.resets, in: dialogue)
        #expect(dialogue.gone == [1])
    }

    @Test func resetsNowAndThenAreFine() {
        let dialogue = HTTP2Dialogue { $0.http2.resetsPerSecond = 20 }
        for stream in 0..<100 {
            dialogue.say(.get(Int32(2 * stream + 1), "/hold"))
            dialogue.say(.reset(Int32(2 * stream + 1)))
            dialogue.now += .milliseconds(50)
        }
        #expect(dialogue.connection.phase == .open)
        #expect(dialogue.gone.count == 100)
    }

    /// A client that has the server reset its streams (CVE-2025-8671).
    @Test func provokedResets() {
        let dialogue = HTTP2Dialogue { $0.http2.resetsPerSecond = 20 }
        for stream in 0...20 { dialogue.say(.get(Int32(2 * stream + 1), "/", [("connection", "x")])) }
        expect(.resets, in: dialogue)
    }

    @Test(arguments: [
        HTTP2Frame.settings(), .ping, .windowUpdate(0, 1), .data(1, []),
        HTTP2Frame(kind: .priority, stream: 9, payload: [0, 0, 0, 0, 1]), HTTP2Frame(kind: .goAway, payload: [UInt8](repeating: 0, count: 8)),
        HTTP2Frame(kind: .data, flags: HTTP2Frame.padded, stream: 1, payload: [3, 0, 0, 0]),
    ])
    func flood(of frame: HTTP2Frame) {
        let dialogue = HTTP2Dialogue { $0.http2.controlFramesPerSecond = 50 }
        dialogue.say(.post(1))
        for _ in 0..<40 { dialogue.say(frame) }
        #expect(dialogue.connection.phase == .open)
        for _ in 0..<20 { dialogue.say(frame) }
        expect(.controlFrames, in: dialogue)
    }

    /// Whoever reads much may often say how much more.
    @Test func windowsMayBeOpenedForWhatIsRead() {
        let dialogue = HTTP2Dialogue { $0.http2.controlFramesPerSecond = 50 }
        dialogue.say(.get(1, "/hold"), .windowUpdate(0, 1 << 30), .windowUpdate(1, 1 << 20))
        dialogue.answer(1, HTTPResponse(status: .ok, body: [UInt8](repeating: 0, count: 1 << 20)))
        for _ in 0..<49 { dialogue.say(.windowUpdate(0, 1)) }
        #expect(dialogue.connection.phase == .open)
    }

    @Test func windowsMayBeOpenedForEachAnswer() {
        let dialogue = HTTP2Dialogue { $0.http2.controlFramesPerSecond = 50 }
        for stream in 0..<200 { dialogue.say(.get(Int32(2 * stream + 1)), .windowUpdate(0, 7)) }
        #expect(dialogue.connection.phase == .open)
        #expect(dialogue.heard.finished.count == 200)
    }

    @Test func tooManySettingsInOneFrame() {
        let dialogue = HTTP2Dialogue { $0.http2.settings = 8 }
        dialogue.say(.settings((0..<9).map { _ in (4, 1000) }))
        expect(.controlFrames, in: dialogue)
    }

    /// CVE-2024-27316, CVE-2024-28182.
    @Test func continuationFlood() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(HTTP2Frame(kind: .headers, stream: 1, payload: HTTP2Frame.block(HTTP2Frame.request("GET", "/"))))
        for _ in 0..<9 { dialogue.say(HTTP2Frame(kind: .continuation, stream: 1, payload: HTTP2Frame.block([("x", "y")]))) }
        expect(.headers, in: dialogue)
    }

    @Test func headThatDoesNotEnd() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(HTTP2Frame(kind: .headers, stream: 1, payload: HTTP2Frame.block(HTTP2Frame.request("GET", "/"))))
        #expect(dialogue.wait(.seconds(9)) == [])
        #expect(dialogue.wait(.seconds(1)) == [.head])
        expect(.headers, in: dialogue)
    }

    /// Fields are dropped beyond the limit, however much they grow when they are decompressed.
    @Test func headerBomb() {
        let dialogue = HTTP2Dialogue()
        // A field of 4,000 bytes that is remembered, and then said again with one byte each.
        let large = [0x40, 1, UInt8(ascii: "x")] + [127, 0xA1, 0x1E] as [UInt8] + [UInt8](repeating: UInt8(ascii: "y"), count: 4000)
        dialogue.say(
            HTTP2Frame(
                kind: .headers, flags: HTTP2Frame.endStream | HTTP2Frame.endHeaders, stream: 1,
                payload: HTTP2Frame.block(HTTP2Frame.request("GET", "/")) + large + [UInt8](repeating: 0xBE, count: 10_000)))
        #expect(dialogue.heard.answers[1]?.status == .requestHeaderFieldsTooLarge)
        #expect(dialogue.stillServes(3))
    }

    @Test func streamsBeyondTheLimitAreRefused() {
        let dialogue = HTTP2Dialogue { $0.http2.concurrentStreams = 3 }
        for stream: Int32 in [1, 3, 5, 7] { dialogue.say(.get(stream, "/hold")) }
        #expect(dialogue.heard.reset(7) == 7)
        #expect(dialogue.requests.count == 3)
        dialogue.answer(1, HTTPResponse(status: .ok))
        #expect(dialogue.stillServes(9))
        // Now the client has said that it knows the limit.
        dialogue.say(.settingsAck, .get(11, "/hold"), .get(13, "/hold"))
        expect(.protocolError, 1, in: dialogue)
    }

    @Test(arguments: [
        HTTP2Frame.data(0, [1]), .data(2, [1]), HTTP2Frame(kind: .settings, payload: [1]), HTTP2Frame(kind: .ping, payload: [1]),
        .windowUpdate(0, 0), .windowUpdate(0, .max >> 1), HTTP2Frame(kind: .continuation, stream: 1), HTTP2Frame(kind: .pushPromise, stream: 1),
        HTTP2Frame(kind: .headers, flags: HTTP2Frame.endHeaders, stream: 1, payload: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    ])
    func whatMakesNoSenseEndsTheConnection(_ frame: HTTP2Frame) {
        let dialogue = HTTP2Dialogue()
        dialogue.say(frame)
        #expect(dialogue.connection.takeMisbehaviour() == .protocolError)
        #expect(dialogue.heard.goAway.map { $0 != 0 } == true)
        #expect(dialogue.connection.phase == .lingering)
    }

    @Test func moreDataThanThereIsRoomForEndsTheConnection() {
        let dialogue = HTTP2Dialogue { $0.http2.streamWindowBytes = 65_535 }
        dialogue.say(.settingsAck, .post(1, "/busy"))
        for _ in 0..<80 { dialogue.say(.data(1, [UInt8](repeating: 0, count: 16_384))) }
        #expect(dialogue.heard.reset(1) == 3 || dialogue.heard.goAway == 3)
    }
}
