import HTTPTransport
import TestSupport
import Testing

/// What `revq-server` does as a process.
@Suite struct ServerCommandTests {
    /// Answers everything with one status.
    private struct Answering: HTTPHandler {
        let status: HTTPStatus

        func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
            .answer(HTTPResponse(status: status, text: "as \(head.path)\nasked\n"))
        }
    }

    /// Health checks read the exit status; people read the line.
    @Test(arguments: [(HTTPStatus.ok, 0), (.serviceUnavailable, 1)] as [(HTTPStatus, Int32)])
    func aProbeEndsWithWhatTheServerAnswers(answer: HTTPStatus, status: Int32) throws {
        let server = try HTTPServer(configuration: HTTPServer.Configuration(), handler: Answering(status: answer))
        defer { server.stop(within: .zero) }
        let ended = try BuiltCommand.server.run(["--probe", "--host", "0.0.0.0", "--port", "\(server.address.port)"])
        #expect(ended.status == status && ended.errors.isEmpty, "\(ended)")
        #expect(ended.output == "http://\(server.address)/readyz answered \(answer.code): as /readyz asked\n")
    }

    @Test func aProbeOfNoPortIsAnErrorOfUse() throws {
        let ended = try BuiltCommand.server.run(["--probe", "--port", "0"])
        #expect(ended.status == 64 && ended.errors == "Error: --probe wants a port, not 0, which stands for any that is free\n", "\(ended)")
    }
}
