import Testing

@testable import HTTPTransport

/// What a connection does with clients that keep to the protocol.
@Suite struct HTTP2ConnectionTests {
    @Test func requestIsAnsweredOnItsStream() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/x?q=%41", [("accept", "*/*")]))
        #expect(dialogue.requests.map(\.head.path) == ["/x"])
        #expect(dialogue.requests.map(\.head.version) == [.http2])
        #expect(dialogue.requests.map { $0.head.query["q"] } == ["A"])
        #expect(dialogue.requests.map { $0.head.headers["Host"] } == ["a"])
        let answer = dialogue.heard.answers[1]
        #expect(answer?.status == .ok)
        #expect(answer?.body == Array("GET /x ".utf8))
        #expect(answer?.headers == ["date": Transcript.date, "content-length": "7"])
        #expect(dialogue.heard.finished == [1])
    }

    @Test func theSameWhateverPiecesItArrivesIn() {
        let bytes = HTTP2Frame.preface + HTTP2Frame.post(1).bytes + HTTP2Frame.data(1, [1, 2], ends: true).bytes
        let dialogue = HTTP2Dialogue(isGreeted: false)
        bytes.forEach { dialogue.say([$0]) }
        #expect(dialogue.requests.map(\.body) == [[1, 2]])
        #expect(dialogue.heard.finished == [1])
    }

    @Test func bodiesInterleave() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.post(1, "/1"), .post(3, "/3"))
        dialogue.say(.data(3, [3]), .data(1, [1]), .data(3, [33], ends: true), .get(5, "/5"))
        dialogue.say(.data(1, [11], ends: true))
        #expect(dialogue.requests.map(\.head.path) == ["/3", "/5", "/1"])
        #expect(dialogue.requests.map(\.body) == [[3, 33], [], [1, 11]])
        #expect(dialogue.heard.answers[1]?.body == Array("POST /1 ".utf8) + [1, 11])
    }

    @Test func answersNeedNotBeInOrder() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"), .get(3, "/3"))
        #expect(dialogue.heard.finished == [3])
        dialogue.answer(1, HTTPResponse(status: .ok, text: "late"))
        #expect(dialogue.heard.answers[1]?.body == Array("late".utf8))
    }

    @Test func headAnswersHaveALengthAndNoBody() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.head(1, HTTP2Frame.request("HEAD", "/")))
        #expect(dialogue.heard.answers[1]?.headers["content-length"] == "7")
        #expect(dialogue.heard.all(.data).isEmpty)
        #expect(dialogue.heard.finished == [1])
    }

    @Test func fieldsThatOnlyHTTP1HasAreNotSent() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"))
        dialogue.answer(1, HTTPResponse(status: .ok, headers: ["Connection": "close", "X-Split": "a\r\nb", "Keep-Alive": "1"]))
        #expect(dialogue.heard.answers[1]?.headers == ["date": Transcript.date, "content-length": "0", "x-split": "a  b"])
    }

    /// nghttp2 looks through all values of a name that it has remembered.
    @Test func fieldsThatChangeWithEachAnswerAreNotRemembered() {
        let dialogue = HTTP2Dialogue()
        let sizes = (0..<3).map { index -> Int in
            let stream = Int32(2 * index + 1)
            dialogue.say(.get(stream, "/hold"))
            dialogue.answer(stream, HTTPResponse(status: .ok, headers: ["X-Request-ID": "abcdef", "Content-Type": "text/plain"]))
            return dialogue.heard.all(.headers).last?.payload.count ?? 0
        }
        // What is remembered is one byte from the second time on.
        #expect(sizes[0] - sizes[1] > 30)
        #expect(sizes[1] == sizes[2])
        #expect(sizes[2] > "X-Request-ID".utf8.count / 2)
    }

    @Test func largeBodyPassesThroughSmallWindows() {
        let dialogue = HTTP2Dialogue { ($0.http2.streamWindowBytes, $0.http2.connectionWindowBytes) = (65_535, 100_000) }
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
        dialogue.say(.post(1, "/", [("content-length", "\(body.count)")]))
        #expect(dialogue.upload(body, on: 1))
        #expect(dialogue.requests.map(\.body) == [body])
    }

    /// A stream that is not yet admitted may fill its window, and no more.
    @Test func roomIsMadeByWhatIsTakenNotByWhatArrives() {
        let dialogue = HTTP2Dialogue { $0.http2.streamWindowBytes = 65_535 }
        let frames = [HTTP2Frame.post(1)] + (0..<3).map { _ in HTTP2Frame.data(1, [UInt8](repeating: 0, count: 16_000)) }
        let bytes = frames.flatMap(\.bytes)
        dialogue.connection.receive(bytes.span, at: dialogue.now)
        dialogue.connection.fill(at: dialogue.now)
        var said = dialogue.connection.output.bytes
        let answers = HTTP2Frame.read(from: &said)
        #expect(answers.isEmpty)
        let before = dialogue.heard.window(1)
        dialogue.serve()
        #expect(dialogue.heard.window(1) == before + 48_000)
    }

    @Test func continueIsSentOnceTheBodyIsWanted() {
        let dialogue = HTTP2Dialogue(maximumBodyBytes: 5)
        dialogue.say(.post(1, "/", [("expect", "100-continue"), ("content-length", "5")]))
        #expect(dialogue.heard.answers[1]?.status == HTTPStatus(100))
        dialogue.say(.data(1, [1, 2, 3, 4, 5], ends: true))
        #expect(dialogue.heard.answers[1]?.status == .ok)
        dialogue.say(.post(3, "/", [("expect", "100-continue"), ("content-length", "6")]))
        #expect(dialogue.heard.answers[3]?.status == .contentTooLarge)
    }

    @Test func trailersArePassedOver() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.post(1), .data(1, [1]), .head(1, [("x-sum", "1")]))
        #expect(dialogue.requests.map(\.body) == [[1]])
        #expect(dialogue.requests.map { $0.head.headers["x-sum"] } == [nil])
    }

    @Test func answerWaitsForTheClientsWindow() {
        let dialogue = HTTP2Dialogue(settings: [(4, 10)])
        dialogue.say(.get(1, "/hold"), .get(3, "/quick"))
        dialogue.answer(1, HTTPResponse(status: .ok, body: [UInt8](repeating: 1, count: 25)))
        #expect(dialogue.heard.answers[1]?.body.count == 10)
        dialogue.say(.windowUpdate(1, 10))
        #expect(dialogue.heard.answers[1]?.body.count == 20)
        dialogue.say(.windowUpdate(1, 10), .windowUpdate(3, 10))
        #expect(dialogue.heard.finished == [1, 3])
    }

    @Test func resetEndsTheWork() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"), .get(3, "/hold"), .post(5), .data(5, [1]))
        dialogue.say(.reset(1), .reset(5))
        #expect(dialogue.gone == [1, 5])
        // An answer that comes all the same goes nowhere.
        dialogue.answer(1, HTTPResponse(status: .ok))
        dialogue.answer(3, HTTPResponse(status: .ok))
        #expect(dialogue.heard.answers.keys.sorted() == [3])
    }

    @Test func leavingEndsAllWork() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"), .get(3, "/hold"))
        dialogue.connection.close()
        dialogue.serve()
        #expect(dialogue.gone.sorted() == [1, 3])
        #expect(dialogue.connection.phase == .closed)
    }

    /// A stream that is opened and reset before anybody has looked costs nothing.
    @Test func resetBeforeItsTurnIsNeverSeen() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1), .reset(1), .get(3))
        #expect(dialogue.requests.count == 1)
        #expect(dialogue.heard.finished == [3])
    }

    @Test func drainingLetsStreamsFinishAndTakesNoNewOnes() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"))
        dialogue.connection.finish(at: dialogue.now)
        dialogue.serve()
        #expect(dialogue.heard.all(.goAway).map { $0.number() } == [.max >> 1])
        // Asked before the client has heard.
        dialogue.say(.get(3))
        #expect(dialogue.heard.finished == [3])
        dialogue.say(HTTP2Frame(kind: .ping, flags: HTTP2Frame.ack, payload: [UInt8](repeating: 0, count: 8)))
        #expect(dialogue.heard.all(.goAway).map { $0.number() } == [.max >> 1, 3])
        #expect(dialogue.heard.goAway == 0)
        dialogue.say(.get(5))
        #expect(dialogue.heard.answers[5] == nil)
        #expect(dialogue.connection.phase == .open)
        dialogue.answer(1, HTTPResponse(status: .ok))
        #expect(dialogue.heard.finished == [1, 3])
        #expect(dialogue.connection.phase == .lingering)
    }

    @Test func drainingDoesNotWaitForAClientThatDoesNotListen() {
        let dialogue = HTTP2Dialogue()
        dialogue.connection.finish(at: dialogue.now)
        dialogue.serve()
        #expect(dialogue.connection.phase == .open)
        _ = dialogue.wait(.seconds(1))
        #expect(dialogue.connection.phase == .lingering)
    }

    @Test func settingsOfAnUpgradeAreRead() {
        func settings(_ text: String, upgrade: String = "h2c") -> [UInt8]? {
            HTTP2Upgrade.settings(["Upgrade": upgrade, "HTTP2-Settings": text])
        }
        #expect(settings("AAMAAABkAAQCAAAAAAIAAAAA") == [0, 3, 0, 0, 0, 100, 0, 4, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0])
        #expect(settings("") == [])
        #expect(settings("AAMAAABk", upgrade: "websocket, h2c") == [0, 3, 0, 0, 0, 100])
        #expect(settings("AAMAAABk", upgrade: "websocket") == nil)
        for wrong in ["AAMA", "AAMAAABk=", "AAMAAAB+", "A"] { #expect(settings(wrong) == nil) }
        #expect(HTTP2Upgrade.settings(["Upgrade": "h2c", "HTTP2-Settings": "", "http2-settings": ""]) == nil)
    }
}
