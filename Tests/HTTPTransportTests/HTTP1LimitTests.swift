import Testing

@testable import HTTPTransport

/// Sizes are limited exactly, whichever way the bytes are cut.
@Suite struct HTTP1LimitTests {
    static let limits = {
        var limits = HTTPLimits()
        limits.requestLineBytes = 40
        limits.headBytes = 100
        limits.headerFields = 4
        return limits
    }()

    func failures(_ text: String) -> [Int] {
        #expect(Transcript.isIndependentOfPieces(text, limits: Self.limits))
        return Transcript(feeding: text, limits: Self.limits).failures.map(\.code)
    }

    @Test func requestLine() {
        let fits = "GET /" + String(repeating: "a", count: 26) + " HTTP/1.1"
        #expect(fits.count == 40)
        #expect(failures(fits + "\r\nHost: a\r\n\r\n") == [])
        #expect(failures("a" + fits + "\r\nHost: a\r\n\r\n") == [414])
        #expect(failures(String(repeating: "a", count: 42)) == [414])
        #expect(failures(String(repeating: "a", count: 41)) == [])
    }

    @Test func headerSection() {
        let before = "GET / HTTP/1.1\r\nHost: a\r\n"
        // 100 bytes less the request line, the Host line and their line ends.
        let room = 100 - 14 - 9
        let fits = "X: " + String(repeating: "y", count: room - 3)
        #expect(failures(before + fits + "\r\n\r\n") == [])
        #expect(failures(before + fits + "y\r\n\r\n") == [431])
        #expect(failures(before + fits + "yy") == [431])
    }

    @Test func fieldCount() {
        let before = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(failures(before + "A:\r\nB:\r\nC:\r\n\r\n") == [])
        #expect(failures(before + "A:\r\nB:\r\nC:\r\nD:\r\n\r\n") == [431])
    }

    @Test func chunkExtensions() {
        let before = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let chunk = "1;" + String(repeating: "e", count: 49) + "\r\na\r\n"
        #expect(failures(before + chunk + chunk + "0\r\n\r\n") == [])
        #expect(failures(before + chunk + chunk + "0;\r\n\r\n") == [400])
    }

    /// A body of small chunks costs work beyond its bytes; full ones are free.
    @Test func smallChunks() {
        var limits = HTTPLimits()
        limits.smallChunks = 3
        let before = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let full = "100\r\n" + String(repeating: "f", count: 256) + "\r\n"
        for (small, failures) in [(3, []), (4, [HTTPStatus.badRequest])] {
            let text = before + full + String(repeating: "1\r\ns\r\n", count: small) + full + "0\r\n\r\n"
            #expect(Transcript(feeding: text, limits: limits).failures == failures)
            #expect(Transcript.isIndependentOfPieces(text, limits: limits))
        }
    }

    @Test func bodyGrowsUpToItsLimit() {
        let before = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
        let body = [UInt8](repeating: 7, count: 200_000)
        for length in [200_000, 199_999, 65_537] {
            let pieces = [Array((before + "\(length)\r\n\r\n").utf8), Array(body[..<50_000]), Array(body[50_000..<length])]
            let transcript = Transcript(feeding: pieces, maximumBodyBytes: 200_000)
            #expect(transcript.requests.first?.body == Array(body[..<length]))
        }
    }

    @Test func budgetIsSharedAndGivenBack() {
        let budget = BodyBudget(bytes: 10)
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        func connection() -> HTTP1Connection {
            HTTP1Connection(peer: Transcript.peer, limits: HTTPLimits(), budget: budget, at: Transcript.start)
        }
        var first = connection()
        var second = connection()
        var transcript = Transcript(feeding: [])
        first.receive(Array((head + "6\r\n012345\r\n").utf8).span, at: Transcript.start)
        transcript.serve(&first)
        #expect(budget.usedBytes == 6)
        second.receive(Array((head + "5\r\n01234\r\n").utf8).span, at: Transcript.start)
        transcript.serve(&second)
        #expect(transcript.failures == [.serviceUnavailable])
        first.receive(Array("4\r\n0123\r\n0\r\n\r\n".utf8).span, at: Transcript.start)
        transcript.serve(&first)
        #expect(transcript.requests.map(\.body.count) == [10])
        #expect(budget.usedBytes == 0)
    }

    @Test func announcedBodyBeyondTheBudgetIsRefusedAtOnce() {
        let text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(1 << 20 + 1)\r\n\r\n"
        #expect(Transcript(feeding: text, maximumBodyBytes: .max).failures == [.serviceUnavailable])
    }
}
