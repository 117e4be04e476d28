import Testing

@testable import HTTPTransport

/// Requests that RFC 9112 allows, and what they must be read as.
@Suite struct HTTP1RequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        var method = "GET"
        var path = "/"
        var query: [HTTPQuery.Item] = []
        var version = HTTPVersion.http1_1
        var body = ""
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "plain", text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case(name: "host with port", text: "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
        Case(name: "empty host", text: "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        Case(name: "field name in capitals", text: "GET / HTTP/1.1\r\nHOST:\ta \t\r\n\r\n"),
        Case(name: "HTTP/1.0 without host", text: "GET / HTTP/1.0\r\n\r\n", version: .http1_0),
        Case(name: "later minor version", text: "GET / HTTP/1.9\r\nHost: a\r\n\r\n"),
        Case(name: "empty line before", text: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case(name: "own method", text: "PURGE /x HTTP/1.1\r\nHost: a\r\n\r\n", method: "PURGE", path: "/x"),
        Case(name: "lower-case method", text: "get / HTTP/1.1\r\nHost: a\r\n\r\n", method: "get"),
        Case(name: "all options", text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", method: "OPTIONS", path: "*"),
        Case(name: "absolute form", text: "GET HTTP://b:80/x HTTP/1.1\r\nHost: a\r\n\r\n", path: "/x"),
        Case(
            name: "absolute form without path", text: "GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n",
            query: [.init(name: "q", value: "")]),
        Case(
            name: "escapes", text: "GET /a%2Fb%C3%A9+c?x=1%262&y+z=%20&&w HTTP/1.1\r\nHost: a\r\n\r\n", path: "/a/bé+c",
            query: [.init(name: "x", value: "1&2"), .init(name: "y z", value: " "), .init(name: "w", value: "")]),
        Case(
            name: "length", text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello", method: "POST",
            body: "hello"),
        Case(
            name: "length in HTTP/1.0", text: "POST / HTTP/1.0\r\ncontent-length:5\r\n\r\nhello", method: "POST",
            version: .http1_0, body: "hello"),
        Case(
            name: "chunks",
            text: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                + "3\r\nhel\r\n0002 ; a=\"b\"; c\r\nlo\r\n0\r\n\r\n", method: "POST", body: "hello"),
        Case(
            name: "trailers",
            text: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n00\r\n"
                + "Digest: x\r\nContent-Length: 7\r\n\r\n", method: "POST", body: "0123456789"),
        Case(
            name: "no chunk", text: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked\r\n\r\n0\r\n\r\n",
            method: "POST"),
        Case(
            name: "expectation of HTTP/1.0 ignored",
            text: "POST / HTTP/1.0\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx", method: "POST", version: .http1_0,
            body: "x"),
    ]

    @Test(arguments: cases) func isRead(_ example: Case) throws {
        let transcript = Transcript(feeding: example.text)
        #expect(transcript.failures == [])
        let request = try #require(transcript.requests.first)
        #expect(transcript.requests.count == 1)
        #expect(request.head.method.rawValue == example.method)
        #expect(request.head.path == example.path)
        #expect(request.head.query.items == example.query)
        #expect(request.head.version == example.version)
        #expect(String(decoding: request.body, as: UTF8.self) == example.body)
        #expect(request.head.peer == Transcript.peer)
    }

    @Test(arguments: cases) func meansTheSameInPieces(_ example: Case) {
        #expect(Transcript.isIndependentOfPieces(example.text))
        #expect(Transcript.isIndependentOfPieces(example.text + example.text))
    }

    @Test func headersKeepOrderCaseAndRepetition() throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-a:\r\nX-b:  2, \tü \r\n\r\n"
        let headers = try #require(Transcript(feeding: text).requests.first).head.headers
        #expect(headers.map(\.name) == ["Host", "X-B", "x-a", "X-b"])
        #expect(headers.map(\.value) == ["a", "1", "", "2, \tü"])
    }

    @Test func announcesTheBodyInItsHead() {
        let lengths = ["Content-Length: 3", "Transfer-Encoding: chunked", "X: y"].map { field in
            let transcript = Transcript(feeding: "POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
            if case .head(let head) = transcript.events.first { return head.contentLength } else { return -1 }
        }
        #expect(lengths == [3, nil, 0])
    }
}
