import Glibc
import Testing
import Threads

@testable import HTTPTransport

@Suite struct HTTPProbeTests {
    @Test func tellsStatusAndBody() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let answer = try HTTPProbe.get("/readyz", at: server.address, within: .seconds(60))
            #expect(answer?.status == 200 && answer?.body == "GET /readyz ")
        }
    }

    /// The kernel takes the connection; nobody ever reads from it.
    @Test func whoeverNeverAnswersIsNotWaitedFor() throws {
        let listener = try Listener(host: "127.0.0.1", port: 0, backlog: 1)
        let error = #expect(throws: SystemError.self) { try HTTPProbe.get("/", at: listener.address, within: .milliseconds(10)) }
        #expect(error == SystemError(operation: "no answer from \(listener.address) in time", code: EAGAIN))
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "SSH-2.0-OpenSSH_9.2 200\r\n\r\n", "HTTP/1.1 two\r\n\r\n", "HTTP/1.1\r\n\r\n",
    ])
    func whatIsNoWholeAnswerIsNone(text: String) {
        #expect(HTTPProbe.parse(Array(text.utf8)) == nil)
    }

    @Test func anAnswerWithoutABodyIsOne() throws {
        let answer = try #require(HTTPProbe.parse(Array("HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\n".utf8)))
        #expect(answer.status == 503 && answer.body.isEmpty)
    }
}
