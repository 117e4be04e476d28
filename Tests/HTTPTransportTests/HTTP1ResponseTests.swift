import Testing

@testable import HTTPTransport

@Suite struct HTTP1ResponseTests {
    static func head(_ response: HTTPResponse, method: HTTPMethod = .get, version: HTTPVersion = .http1_1) -> String {
        let request = HTTPRequestHead(method: method, target: "/", path: "/", version: version)
        let (head, _) = HTTP1ResponseEncoder.encode(response, to: request, keepsAlive: true, date: Transcript.date)
        return String(decoding: head, as: UTF8.self)
    }

    @Test func headIsWritten() {
        let response = HTTPResponse(status: .ok, headers: ["X-A": "1", "x-a": "2"], body: [1, 2, 3])
        #expect(
            Self.head(response)
                == "HTTP/1.1 200 OK\r\nDate: \(Transcript.date)\r\nContent-Length: 3\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
    }

    @Test func framingSetByAHandlerIsIgnored() {
        let response = HTTPResponse(
            status: .ok,
            headers: ["content-length": "99", "Transfer-Encoding": "chunked", "CONNECTION": "upgrade", "Date": "never"])
        #expect(Self.head(response) == "HTTP/1.1 200 OK\r\nDate: \(Transcript.date)\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func echoedValuesCannotSplitTheAnswer() {
        let response = HTTPResponse(status: .ok, headers: ["X": "a\r\nSet-Cookie: b\0ü"])
        #expect(Self.head(response).contains("\r\nX: a  Set-Cookie: b ü\r\n"))
    }

    @Test(arguments: [204, 304]) func someAnswersHaveNoBody(_ code: Int) {
        let response = HTTPResponse(status: HTTPStatus(code), body: [1])
        let (head, body) = HTTP1ResponseEncoder.encode(response, to: nil, keepsAlive: true, date: Transcript.date)
        #expect(!String(decoding: head, as: UTF8.self).contains("Content-Length"))
        #expect(body == [])
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_251_200, "Fri, 01 Mar 2024 00:00:00 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func dateIsFormatted(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.format(secondsSince1970: seconds) == text)
    }
}
