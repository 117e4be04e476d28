import TestSupport
import Testing

@testable import HTTPTransport

/// Requests that are refused: each is answered or reset on its stream, and the others on its connection go on.
@Suite struct HTTP2RefusalTests {
    /// What nghttp2 lets through.
    @Test(
        arguments: [
            ("/%zz", [], 400), ("/%00", [], 400), ("/a#b", [], 400), ("/", [("expect", "a miracle")], 417), ("/", [("host", "b")], 400),
            ("/", [("x", "\u{80}")], nil), ("/" + String(repeating: "x", count: 9000), [], 414),
            ("/", [("x", String(repeating: "x", count: 40_000))], 431),
            ("/", (0..<101).map { ("x-\($0)", "") }, 431),
        ] as [(String, [(String, String)], Int?)])
    func headIsAnswered(path: String, fields: [(String, String)], status: Int?) {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.get(1, "/hold"))
        let block = HTTP2Frame.block(HTTP2Frame.request("GET", path) + fields)
        let pieces = stride(from: 0, to: block.count, by: 16_000).map { Array(block[$0..<min(block.count, $0 + 16_000)]) }
        dialogue.say(
            [HTTP2Frame(kind: .headers, flags: HTTP2Frame.endStream | (pieces.count == 1 ? HTTP2Frame.endHeaders : 0), stream: 3, payload: pieces[0])]
                .flatMap(\.bytes)
                + pieces.dropFirst().enumerated().flatMap { index, piece in
                    HTTP2Frame(kind: .continuation, flags: index == pieces.count - 2 ? HTTP2Frame.endHeaders : 0, stream: 3, payload: piece).bytes
                })
        #expect(dialogue.heard.answers[3]?.status.code == status ?? 200)
        #expect(dialogue.heard.finished == [3])
        #expect(dialogue.stillServes(5))
        dialogue.answer(1, HTTPResponse(status: .ok))
        #expect(dialogue.heard.finished.contains(1))
    }

    @Test func otherMethodsAndSchemes() {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.head(1, [(":method", "CONNECT"), (":authority", "a:1")]))
        #expect(dialogue.heard.answers[1]?.status == .badRequest || dialogue.heard.answers[1]?.status == .notImplemented)
        dialogue.say(.head(3, [(":method", "GET"), (":scheme", "ftp"), (":path", "/"), (":authority", "a")]))
        #expect(dialogue.heard.answers[3]?.status == .badRequest)
        dialogue.say(.head(5, HTTP2Frame.request("OPTIONS", "*")))
        #expect(dialogue.heard.answers[5]?.text == "OPTIONS * ")
        #expect(dialogue.stillServes(7))
    }

    /// What nghttp2 refuses (RFC 9113 §8.1.1), as it is told to.
    @Test(
        arguments: [
            [(":method", "GET"), (":scheme", "http"), (":authority", "a")], [(":method", "GET"), (":scheme", "http"), (":path", "/")],
            HTTP2Frame.request("GET", "/") + [(":path", "/")], HTTP2Frame.request("GET", "/") + [("X", "y")],
            HTTP2Frame.request("GET", "/") + [("connection", "close")], HTTP2Frame.request("GET", "/") + [("transfer-encoding", "chunked")],
            HTTP2Frame.request("GET", "/") + [("te", "gzip")], HTTP2Frame.request("GET", "/") + [("upgrade", "h2c")],
            HTTP2Frame.request("GET", "/") + [("x", "a\u{0}b")], HTTP2Frame.request("GET", "/") + [("x", "a\nb")],
            HTTP2Frame.request("GET", "/") + [("a b", "c")], [("x", "y")] + HTTP2Frame.request("GET", "/"),
            HTTP2Frame.request("GET", "/") + [(":status", "200")], HTTP2Frame.request("GET", "/") + [("content-length", "1")],
            HTTP2Frame.request("GET", "/") + [("content-length", "-1")], HTTP2Frame.request("G T", "/"), HTTP2Frame.request("GET", ""),
        ] as [[(String, String)]])
    func malformedHeadResetsItsStream(_ fields: [(String, String)]) {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.head(1, fields))
        #expect(dialogue.heard.reset(1) == 1)
        #expect(dialogue.events.isEmpty)
        #expect(dialogue.stillServes(3))
    }

    @Test(arguments: [([1, 2, 3], true), ([1, 2, 3, 4, 5], false)] as [([UInt8], Bool)])
    func bodyThatIsNotAsLongAsAnnouncedEndsTheWork(_ body: [UInt8], ends: Bool) {
        let dialogue = HTTP2Dialogue()
        dialogue.say(.post(1, "/", [("content-length", "4")]), .data(1, body, ends: ends))
        #expect(dialogue.heard.reset(1) == 1)
        #expect(dialogue.requests.isEmpty)
        #expect(dialogue.events.last == .gone(stream: 1, .bodyRefused))
        #expect(dialogue.stillServes(3))
    }

    @Test(arguments: [true, false]) func bodyThatIsTooLargeIs413(isAnnounced: Bool) {
        let dialogue = HTTP2Dialogue(maximumBodyBytes: 100_000)
        dialogue.say(.post(1, "/", isAnnounced ? [("content-length", "500000")] : []))
        // It does not listen, and is read to its end all the same.
        #expect(dialogue.upload([UInt8](repeating: 0, count: 500_000), on: 1))
        #expect(dialogue.heard.answers[1]?.status == .contentTooLarge)
        #expect(dialogue.heard.reset(1) == nil)
        #expect(dialogue.failures == [.contentTooLarge])
        #expect(dialogue.stillServes(3))
    }

    @Test func bodyThatNobodyWantsIsReadToALimitAndThenReset() {
        let dialogue = HTTP2Dialogue { ($0.discardBytes, $0.http2.streamWindowBytes) = (100_000, 65_535) }
        dialogue.say(.post(1, "/busy"))
        #expect(dialogue.heard.answers[1]?.status == .tooManyRequests)
        #expect(!dialogue.upload([UInt8](repeating: 0, count: 500_000), on: 1))
        #expect(dialogue.wait(.seconds(60)) == [.body])
        #expect(dialogue.heard.reset(1) == 0)
        #expect(dialogue.stillServes(3))
        // What was thrown away is room for others again.
        dialogue.say(.post(5))
        #expect(dialogue.upload([UInt8](repeating: 0, count: 3_000_000), on: 5))
    }

    @Test func bodiesThatFillTheMemoryAre503() {
        let dialogue = HTTP2Dialogue(budget: 100_000)
        dialogue.say(.post(1), .post(3, "/", [("content-length", "100001")]))
        #expect(dialogue.heard.answers[3]?.status == .serviceUnavailable)
        #expect(dialogue.upload([UInt8](repeating: 0, count: 200_000), on: 1))
        #expect(dialogue.heard.answers[1]?.status == .serviceUnavailable)
        #expect(dialogue.stillServes(5))
    }

    @Test func tooManySmallFramesAre400() {
        let dialogue = HTTP2Dialogue { $0.smallChunks = 10 }
        dialogue.say(.post(1))
        for _ in 0..<11 { dialogue.say(.data(1, [1])) }
        #expect(dialogue.heard.answers[1]?.status == .badRequest)
        #expect(dialogue.stillServes(3))
    }

    @Test func trailersThatAreTooLargeAre431() {
        let dialogue = HTTP2Dialogue { $0.headBytes = 300 }
        dialogue.say(.post(1), .data(1, [1]), .head(1, [("x", String(repeating: "x", count: 300))]))
        #expect(dialogue.heard.answers[1]?.status == .requestHeaderFieldsTooLarge)
        #expect(dialogue.stillServes(3))
    }
}
