import TestSupport
import Testing
import Threads

@testable import HTTPTransport

/// How exchanges end early: clients that leave, deadlines, and a server that stops.
@Suite struct HTTPServerEndingTests {
    /// A handler that hands its responders out and reports cancellations.
    struct Waiting {
        let arrivals = Mailbox<HTTPResponder>()
        let cancellations = Mailbox<HTTPCancellation>()
        let handler: ScriptedHandler

        init(answerWithin: Duration? = nil) {
            handler = ScriptedHandler(answerWithin: answerWithin) { [arrivals, cancellations] _, responder in
                responder.onCancel { cancellations.post($0) }
                arrivals.post(responder)
            }
        }
    }

    static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test(arguments: [true, false]) func leavingClientCancels(byReset: Bool) throws {
        let waiting = Waiting()
        try HTTPServer.withServer(waiting.handler) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.get)
            let responder = try #require(waiting.arrivals.take())
            byReset ? client.reset() : client.close()
            #expect(waiting.cancellations.take() == .disconnected)
            #expect(responder.isCancelled)
            #expect(!responder.respond(HTTPResponse(status: .ok)))
        }
    }

    @Test func halfClosedClientGetsItsAnswer() throws {
        let waiting = Waiting()
        try HTTPServer.withServer(waiting.handler) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.get)
            client.shutDownWriting()
            let responder = try #require(waiting.arrivals.take())
            #expect(responder.respond(HTTPResponse(status: .ok, text: "late")))
            #expect(client.receiveAnswer()?.text == "late")
            #expect(client.receiveToEnd() == [])
        }
    }

    @Test func overdueAnswerIs504AndCancels() throws {
        let waiting = Waiting(answerWithin: .milliseconds(20))
        try HTTPServer.withServer(waiting.handler) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.get)
            let responder = try #require(waiting.arrivals.take())
            #expect(client.receiveAnswer()?.status == .gatewayTimeout)
            #expect(waiting.cancellations.take() == .deadlinePassed)
            #expect(!responder.respond(HTTPResponse(status: .ok)))
        }
    }

    @Test func unfinishedHeadIs408() throws {
        try HTTPServer.withServer(
            ScriptedHandler.echo, configure: { $0.limits.headTimeout = .milliseconds(20) }
        ) { server in
            let client = try LoopbackClient(server.address)
            client.send("GET / HTTP/1.1\r\nHo")
            #expect(client.receiveAnswer()?.status == .requestTimeout)
            #expect(try LoopbackClient(server.address).receiveToEnd() == [])
        }
    }

    @Test(arguments: [
        ("Content-Length: 11\r\n\r\n", HTTPCancellation.bodyRefused),
        ("Transfer-Encoding: chunked\r\n\r\nx\r\n", .bodyRefused), ("Content-Length: 5\r\n\r\n1", .disconnected),
    ])
    func bodyThatNeverArrivesCancels(_ request: String, reason: HTTPCancellation) throws {
        struct Admitting: HTTPHandler {
            let admissions = Mailbox<HTTPRequestHead>()
            let cancellations = Mailbox<HTTPCancellation>()

            func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
                responder.onCancel { cancellations.post($0) }
                admissions.post(head)
                return .accept(maximumBodyBytes: 10) { _ in responder.respond(HTTPResponse(status: .ok)) }
            }
        }
        let handler = Admitting()
        try HTTPServer.withServer(handler) { server in
            let client = try LoopbackClient(server.address)
            client.send("PUT / HTTP/1.1\r\nHost: a\r\n\(request)")
            #expect(handler.admissions.take() != nil)
            if reason == .disconnected { client.reset() }
            #expect(handler.cancellations.take() == reason)
        }
    }

    @Test func stoppingLetsRequestsFinish() throws {
        let waiting = Waiting()
        let server = try HTTPServer(configuration: .init(), handler: waiting.handler)
        let idle = try LoopbackClient(server.address)
        let client = try LoopbackClient(server.address)
        client.send(Self.get)
        let responder = try #require(waiting.arrivals.take())
        let stopping = try DedicatedThread { server.stop(within: .seconds(60)) }
        #expect(idle.receiveToEnd() == [])
        #expect(throws: LoopbackClient.Failure.self) { try LoopbackClient(server.address) }
        #expect(!responder.isCancelled)
        responder.respond(HTTPResponse(status: .ok, text: "finished"))
        let answer = try #require(client.receiveAnswer())
        #expect(answer.text == "finished")
        #expect(answer.headers["Connection"] == "close")
        client.close()
        stopping.join()
        #expect(server.openConnections == 0)
    }

    @Test func requestThatReachedTheSocketIsAnsweredBeforeStopping() throws {
        for _ in 0..<20 {
            let server = try HTTPServer(configuration: .init(), handler: ScriptedHandler.echo)
            let client = try LoopbackClient(server.address)
            client.send(Self.get)
            #expect(client.receiveAnswer()?.status == .ok)
            client.send(Self.get)
            let stopping = try DedicatedThread { server.stop(within: .seconds(60)) }
            #expect(client.receiveAnswer()?.status == .ok)
            client.close()
            stopping.join()
        }
    }

    /// The kernel lets clients in before the server looks; closing the listener first would reset them.
    @Test func clientInTheKernelsQueueIsServedBeforeStopping() throws {
        let gate = Gate()
        let handler = ScriptedHandler { request, responder in
            if request.head.path == "/first" { gate.pass() }
            responder.respond(HTTPResponse(status: .ok, text: request.head.path))
        }
        let server = try HTTPServer(configuration: .init(), handler: handler)
        let first = try LoopbackClient(server.address)
        first.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
        gate.waitForArrival()
        let second = try LoopbackClient(server.address)
        second.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
        let stopping = try DedicatedThread { server.stop(within: .seconds(60)) }
        gate.open()
        #expect(first.receiveAnswer()?.text == "/first")
        #expect(second.receiveAnswer()?.text == "/second")
        first.close()
        second.close()
        stopping.join()
    }

    @Test func stoppingWithoutGraceCancels() throws {
        let waiting = Waiting()
        let server = try HTTPServer(configuration: .init(), handler: waiting.handler)
        let client = try LoopbackClient(server.address)
        client.send(Self.get)
        let responder = try #require(waiting.arrivals.take())
        server.stop(within: .zero)
        #expect(waiting.cancellations.take() == .serverStopped)
        #expect(responder.isCancelled)
        server.stop(within: .zero)
    }
}
