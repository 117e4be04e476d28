import TestSupport
import Testing
import Threads

@testable import HTTPTransport

/// Answers whose bodies come in parts.
@Suite struct OpenAnswerTests {
    private static func request(_ version: String = "HTTP/1.1") -> [UInt8] { Array("GET / \(version)\r\nHost: a\r\n\r\n".utf8) }

    private func connection(_ version: String = "HTTP/1.1") -> HTTP1Connection {
        var connection = HTTP1Connection(peer: Transcript.peer, limits: HTTPLimits(), budget: BodyBudget(bytes: 1 << 20), at: Transcript.start)
        connection.receive(Self.request(version).span, at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        connection.accept(maximumBodyBytes: 0, answerWithin: .seconds(5), at: Transcript.start)
        _ = connection.nextEvent(at: Transcript.start)
        return connection
    }

    private func open(_ body: [UInt8] = []) -> HTTPResponse {
        var response = HTTPResponse(status: .ok, body: body)
        response.isOpen = true
        return response
    }

    private static func drained(_ connection: inout HTTP1Connection) -> String {
        let bytes = connection.output.bytes
        connection.didWrite(bytes.count, at: Transcript.start)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func comesInChunks() {
        var connection = connection()
        connection.answer(open(Array("a".utf8)), date: Transcript.date, at: Transcript.start)
        let begun = Self.drained(&connection)
        #expect(begun == "HTTP/1.1 200 OK\r\nDate: \(Transcript.date)\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        let (phase, pace) = (connection.phase, connection.pace(at: Transcript.start))
        #expect(phase == .streaming && pace == nil)
        connection.continueAnswer([UInt8](repeating: 98, count: 17), isLast: false, at: Transcript.start)
        let part = Self.drained(&connection)
        #expect(part == "11\r\n\(String(repeating: "b", count: 17))\r\n")
        connection.continueAnswer([], isLast: true, at: Transcript.start)
        let (end, last) = (Self.drained(&connection), connection.phase)
        #expect(end == "0\r\n\r\n")
        #expect(last == .idle)
    }

    @Test func whatFollowsIsAnsweredBehindIt() {
        var connection = connection()
        connection.answer(open(), date: Transcript.date, at: Transcript.start)
        connection.receive(Self.request().span, at: Transcript.start)
        let early = connection.nextEvent(at: Transcript.start)
        #expect(early == nil)
        connection.continueAnswer([1], isLast: true, at: Transcript.start)
        _ = Self.drained(&connection)
        guard case .head = connection.nextEvent(at: Transcript.start) else {
            Issue.record("the next request is lost")
            return
        }
    }

    @Test func endsWithTheConnectionInHTTP1_0() {
        var connection = connection("HTTP/1.0")
        connection.answer(open([97]), date: Transcript.date, at: Transcript.start)
        let text = Self.drained(&connection)
        #expect(text == "HTTP/1.1 200 OK\r\nDate: \(Transcript.date)\r\nConnection: close\r\n\r\na")
        connection.continueAnswer([], isLast: true, at: Transcript.start)
        let phase = connection.phase
        #expect(phase == .lingering)
    }

    @Test func hasAsLongAsAnAnswerMayTake() {
        var connection = connection()
        connection.answer(open(), date: Transcript.date, at: Transcript.start + .seconds(4))
        let early = connection.expire(at: Transcript.start + .seconds(4))
        let late = connection.expire(at: Transcript.start + .seconds(5))
        let phase = connection.phase
        #expect(early == nil && late == .streaming && phase == .closed)
    }

    /// Gives a part whenever it is told to.
    private final class Slow: HTTPHandler {
        let responders = Mailbox<HTTPResponder>()
        let cancellations = Mailbox<HTTPCancellation>()

        func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
            .accept(maximumBodyBytes: 0) { [self] _ in
                responder.onCancel { self.cancellations.post($0) }
                responder.begin(HTTPResponse(status: .ok))
                responders.post(responder)
            }
        }
    }

    @Test func partsArriveBeforeTheEnd() throws {
        let handler = Slow()
        try HTTPServer.withServer(handler) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.request())
            #expect(client.receiveAnswer()?.headers["Transfer-Encoding"] == "chunked")
            let responder = handler.responders.wait(for: 1)[0]
            responder.send(Array("one".utf8))
            var text = ""
            while !text.hasSuffix("one\r\n"), let bytes = client.receive() { text += String(decoding: bytes, as: UTF8.self) }
            #expect(text == "3\r\none\r\n")
            responder.finish()
            #expect(client.receive().map { String(decoding: $0, as: UTF8.self) } == "0\r\n\r\n")
        }
    }

    @Test func aClientThatHasGoneEndsIt() throws {
        let handler = Slow()
        try HTTPServer.withServer(handler) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.request())
            _ = client.receiveAnswer()
            let responder = handler.responders.wait(for: 1)[0]
            client.reset()
            #expect(handler.cancellations.wait(for: 1) == [.disconnected])
            responder.send([1])
            #expect(responder.isCancelled)
        }
    }

    @Test func comesInFramesOfHTTP2() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"))
        dialogue.answer(1, open())
        #expect(dialogue.heard.answers[1]?.body == [] && !dialogue.heard.finished.contains(1))
        for part in [[UInt8](repeating: 1, count: 5), [2]] {
            dialogue.connection.continueAnswer(1, part, isLast: false, at: dialogue.now)
            dialogue.serve()
        }
        #expect(dialogue.heard.answers[1]?.body == [1, 1, 1, 1, 1, 2] && !dialogue.heard.finished.contains(1))
        #expect(dialogue.connection.pace(at: dialogue.now) == nil)
        dialogue.connection.continueAnswer(1, [], isLast: true, at: dialogue.now)
        dialogue.serve()
        #expect(dialogue.heard.finished.contains(1))
    }

    @Test func aResetTellsThatNobodyWaits() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"))
        dialogue.answer(1, open([1]))
        dialogue.say(.reset(1))
        #expect(dialogue.gone == [1])
        dialogue.connection.continueAnswer(1, [2], isLast: true, at: dialogue.now)
    }
}
