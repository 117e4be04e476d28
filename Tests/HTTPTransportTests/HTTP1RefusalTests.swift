import Testing

@testable import HTTPTransport

/// Requests that must be refused, and whose end is not certain or too far. Each ends its connection: what follows in the stream is never
/// read as a request.
@Suite struct HTTP1RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let text: String
        var testDescription: String { "\(status) \(text.prefix(60).debugDescription)" }

        init(_ status: Int, _ text: String) {
            self.status = status
            self.text = text
        }

        /// A request that is good but for its first line.
        static func line(_ status: Int, _ line: String) -> Case {
            Case(status, "\(line)\r\nHost: a\r\n\r\n")
        }

        /// A request with `fields` between a good request line and the end of the head.
        static func fields(_ status: Int, _ fields: String) -> Case {
            Case(status, "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n")
        }

        static func chunks(_ status: Int, _ chunks: String) -> Case {
            fields(status, "Transfer-Encoding: chunked\r\n\r\n\(chunks)")
        }
    }

    static let requestLines = [
        Case(400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case(400, "GET / HTTP/1.1\nHost: a\n\n"),
        .line(400, "GET /"),
        .line(400, "GET  / HTTP/1.1"),
        .line(400, "GET / HTTP/1.1 "),
        .line(400, " GET / HTTP/1.1"),
        .line(400, "GET\t/ HTTP/1.1"),
        .line(400, "G\rET / HTTP/1.1"),
        .line(400, "G:ET / HTTP/1.1"),
        .line(400, "GET x HTTP/1.1"),
        .line(400, "GET * HTTP/1.1"),
        .line(400, "GET /\u{e9} HTTP/1.1"),
        .line(400, "GET /a#b HTTP/1.1"),
        .line(400, "GET /%4 HTTP/1.1"),
        .line(400, "GET /%zz HTTP/1.1"),
        .line(400, "GET /%00 HTTP/1.1"),
        .line(400, "GET /%ff HTTP/1.1"),
        .line(400, "GET /?a=%f HTTP/1.1"),
        .line(400, "GET http:///x HTTP/1.1"),
        .line(400, "GET http://u@h/ HTTP/1.1"),
        .line(400, "GET ftp://h/ HTTP/1.1"),
        .line(400, "GET / http/1.1"),
        .line(400, "GET / HTTP/1.10"),
        .line(400, "GET / HTTP/11"),
        .line(400, "GET / HTTPS/1.1"),
        Case(501, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
        .line(505, "GET / HTTP/0.9"),
        .line(505, "GET / HTTP/2.0"),
        Case(505, "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n"),
        .line(505, "GET / HTTP/3.0"),
    ]

    static let headerFields = [
        Case(400, "GET / HTTP/1.1\r\n\r\n"),
        Case(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .fields(400, "Host: a"),
        .fields(400, "host: b"),
        Case(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        Case(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        Case(400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        Case(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        .fields(400, "X: a\r\n b"),
        .fields(400, "X: a\r\n\tb"),
        .fields(400, "X : a"),
        .fields(400, "X\t: a"),
        .fields(400, ": a"),
        .fields(400, "X"),
        .fields(400, "X: a\rb"),
        .fields(400, "X: a\r\r"),
        .fields(400, "X: a\nY: b"),
        .fields(400, "X: a\0"),
        .fields(400, "X: \u{7f}"),
        .fields(400, "X\0: a"),
        .fields(400, "X\u{e9}: a"),
        .fields(400, "X(y): a"),
        .fields(417, "Expect: tea"),
        .fields(417, "Expect: 100-continue, tea"),
    ]

    static let framing = [
        Case.fields(400, "Content-Length: 1\r\nContent-Length: 1"),
        .fields(400, "Content-Length: 1\r\nContent-Length: 2"),
        .fields(400, "Content-Length: 1\r\nX: y\r\ncontent-length: 1"),
        .fields(400, "Content-Length: 1, 1"),
        .fields(400, "Content-Length:"),
        .fields(400, "Content-Length: +1"),
        .fields(400, "Content-Length: -1"),
        .fields(400, "Content-Length: 0x1"),
        .fields(400, "Content-Length: 1 1"),
        .fields(400, "Content-Length: \u{661}"),
        .fields(413, "Content-Length: 9223372036854775807"),
        .fields(413, "Content-Length: 99999999999999999999"),
        .fields(400, "Content-Length: 1\r\nTransfer-Encoding: chunked"),
        .fields(400, "Transfer-Encoding: chunked\r\nContent-Length: 1"),
        .fields(400, "Transfer-Encoding: identity\r\nContent-Length: 1"),
        .fields(400, "Transfer-Encoding: chunked, chunked"),
        .fields(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        .fields(400, "Transfer-Encoding:"),
        .fields(400, "Transfer-Encoding: ,"),
        .fields(400, "Transfer-Encoding : chunked"),
        .fields(400, "Transfer-Encoding: chunked\u{0B}"),
        .fields(501, "Transfer-Encoding: identity"),
        .fields(501, "Transfer-Encoding: gzip, chunked"),
        .fields(501, "Transfer-Encoding: chunked, identity"),
        .fields(501, "Transfer-Encoding: xchunked"),
        .fields(501, "Transfer-Encoding: \"chunked\""),
        .fields(501, "Transfer-Encoding: chunked;q=1"),
        Case(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    static let chunks = [
        Case.chunks(400, "\r\n"),
        .chunks(400, "x\r\n"),
        .chunks(400, "-1\r\n"),
        .chunks(400, "0x1\r\na\r\n"),
        .chunks(400, " 1\r\na\r\n"),
        .chunks(400, "1 2\r\na\r\n"),
        .chunks(400, ";a\r\n"),
        .chunks(400, "1\na\r\n0\r\n\r\n"),
        .chunks(400, "1;a\rb\r\na\r\n"),
        .chunks(400, "1;a\n\r\na\r\n"),
        .chunks(400, "1\r\nab\r\n0\r\n\r\n"),
        .chunks(400, "1\r\na\n0\r\n\r\n"),
        .chunks(400, "1\r\na\r0\r\n\r\n"),
        .chunks(400, "10000000000000000\r\n"),
        .chunks(400, "ffffffffffffffff\r\n"),
        .chunks(400, "1;\(String(repeating: "a", count: 1023))\r\n"),
        .chunks(413, "7fffffffffffffff\r\n"),
        .chunks(400, "0\r\nX : y\r\n\r\n"),
        .chunks(400, "0\r\n\n"),
        .chunks(400, "0\r\nX\r\n\r\n"),
        .chunks(431, "0\r\n" + String(repeating: "X: y\r\n", count: 101) + "\r\n"),
    ]

    static let all = requestLines + headerFields + framing + chunks

    @Test(arguments: all) func isRefused(_ example: Case) {
        let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        let transcript = Transcript(feeding: example.text + next)
        #expect(transcript.failures.map(\.code) == [example.status])
        #expect(transcript.requests.isEmpty)
        #expect(transcript.text.contains("\r\nConnection: close\r\n"))
        #expect(transcript.phase == .lingering)
    }

    @Test(arguments: all) func isRefusedTheSameInPieces(_ example: Case) {
        #expect(Transcript.isIndependentOfPieces(example.text))
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        let text = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + [0xC3, 0x28] + Array("\r\n\r\n".utf8)
        #expect(Transcript(feeding: [text]).failures == [.badRequest])
    }
}
