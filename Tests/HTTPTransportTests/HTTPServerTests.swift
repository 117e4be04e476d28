import Dispatch
import TestSupport
import Testing
import Threads

@testable import HTTPTransport

/// The whole server over loopback sockets.
@Suite struct HTTPServerTests {
    static func get(_ path: String) -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
    }

    @Test func thousandRequestsOnOneConnection() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try LoopbackClient(server.address)
            for number in 0..<1000 {
                client.send(Self.get("/\(number)"))
                #expect(client.receiveAnswer()?.text == "GET /\(number) ")
            }
            #expect(server.openConnections == 1)
        }
    }

    @Test(arguments: [1, 3]) func manyConnectionsOnSomeLoops(_ loops: Int) throws {
        try HTTPServer.withServer(ScriptedHandler.echo, configure: { $0.eventLoops = loops }) { server in
            let address = server.address
            let counts = Mailbox<Int>()
            let threads = try (0..<30).map { connection in
                try DedicatedThread {
                    guard let client = try? LoopbackClient(address) else { return counts.post(0) }
                    let right = (0..<20).count { number in
                        client.send(Self.get("/\(connection)/\(number)"))
                        return client.receiveAnswer()?.text == "GET /\(connection)/\(number) "
                    }
                    counts.post(right)
                }
            }
            let right = threads.compactMap { _ in counts.take() }.reduce(0, +)
            threads.forEach { $0.join() }
            #expect(right == 600)
        }
    }

    @Test func pipelinedRequestsComeBackInOrder() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try LoopbackClient(server.address)
            // More than may wait: reading stops and goes on again.
            let count = 3000
            let requests = (0..<count).map { Self.get("/\($0)") }.joined()
            client.send(requests)
            #expect((0..<count).count { client.receiveAnswer()?.text == "GET /\($0) " } == count)
        }
    }

    @Test func largeBodiesArriveInAnyFraming() throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try LoopbackClient(server.address)
            client.send("PUT /l HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
            client.send(body)
            #expect(client.receiveAnswer()?.body == Array("PUT /l ".utf8) + body)

            client.send("PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            var rest = body[...]
            var size = 1
            while !rest.isEmpty {
                let chunk = rest.prefix(size)
                client.send(Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10])
                rest = rest.dropFirst(size)
                size = size * 3 + 1
            }
            client.send("0\r\n\r\n")
            #expect(client.receiveAnswer()?.body == Array("PUT /c ".utf8) + body)
            #expect(server.bufferedBodyBytes == 0)
        }
    }

    @Test func answersMayComeFromAnyThread() throws {
        let handler = ScriptedHandler { request, responder in
            DispatchQueue.global().async {
                responder.respond(HTTPResponse(status: .ok, text: request.head.path))
            }
        }
        try HTTPServer.withServer(handler) { server in
            let client = try LoopbackClient(server.address)
            for number in 0..<200 {
                client.send(Self.get("/\(number)"))
                #expect(client.receiveAnswer()?.text == "/\(number)")
            }
        }
    }

    @Test func answerLargerThanEverySocketBufferIsWrittenWhole() throws {
        let body = (0..<30_000_000).map { UInt8(truncatingIfNeeded: $0 >> 9) }
        try HTTPServer.withServer(ScriptedHandler { $1.respond(HTTPResponse(status: .ok, body: body)) }) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.get("/") + Self.get("/"))
            #expect(client.receiveAnswer()?.body == body)
            #expect(client.receiveAnswer()?.body == body)
        }
    }

    @Test func refusedUploadStillGetsItsAnswer() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try LoopbackClient(server.address)
            client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 12000000\r\n\r\n")
            #expect(client.send([UInt8](repeating: 0, count: 12_000_000)))
            #expect(client.receiveAnswer()?.status == .contentTooLarge)
            #expect(client.receiveToEnd() == [])
        }
    }

    @Test func droppedRequestIsAnsweredWith500() throws {
        try HTTPServer.withServer(ScriptedHandler { _, _ in }) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.get("/"))
            #expect(client.receiveAnswer()?.status == .internalServerError)
            client.send(Self.get("/"))
            #expect(client.receiveAnswer()?.status == .internalServerError)
        }
    }

    @Test func rejectionAnswersWithoutTheBody() throws {
        struct Busy: HTTPHandler {
            func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
                .answer(HTTPResponse(status: .tooManyRequests, headers: ["Retry-After": "3"]))
            }
        }
        try HTTPServer.withServer(Busy()) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.get("/"))
            #expect(client.receiveAnswer()?.headers["Retry-After"] == "3")
            client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
            #expect(client.receiveAnswer()?.status == .tooManyRequests)
            client.send([UInt8](repeating: 0, count: 100_000))
            client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
            #expect(client.receiveAnswer()?.headers["Connection"] == "close")
            #expect(client.receiveToEnd() == [])
            #expect(server.counts.requests == 3)
            #expect(server.counts.connectionsAccepted == 1)
        }
    }

    @Test func connectionsBeyondTheLimitWait() throws {
        try HTTPServer.withServer(ScriptedHandler.echo, configure: { $0.maximumConnections = 2 }) { server in
            let clients = try (0..<3).map { _ in try LoopbackClient(server.address) }
            for client in clients[..<2] {
                client.send(Self.get("/"))
                #expect(client.receiveAnswer()?.status == .ok)
            }
            clients[2].send(Self.get("/waited"))
            #expect(server.openConnections == 2)
            clients[0].close()
            #expect(clients[2].receiveAnswer()?.text == "GET /waited ")
        }
    }

    @Test func addressWithTooManyConnectionsIsTurnedAway() throws {
        try HTTPServer.withServer(ScriptedHandler.echo, configure: { $0.maximumConnectionsPerAddress = 2 }) { server in
            let clients = try (0..<2).map { _ in try LoopbackClient(server.address) }
            for client in clients {
                client.send(Self.get("/"))
                #expect(client.receiveAnswer()?.status == .ok)
            }
            #expect(try LoopbackClient(server.address).receiveAnswer() == nil)
            clients[0].send(Self.get("/still"))
            #expect(clients[0].receiveAnswer()?.text == "GET /still ")
        }
    }

    @Test func addressAtItsLimitGivesUpWhoWaits() throws {
        try HTTPServer.withServer(ScriptedHandler.echo, configure: { $0.maximumConnectionsPerAddress = 1 }) { server in
            let slow = try LoopbackClient(server.address)
            slow.send("GET / HTTP/1.1\r\nHo")
            var answer: HTTPResponse?
            while answer == nil {
                let client = try LoopbackClient(server.address)
                client.send(Self.get("/here"))
                answer = client.receiveAnswer()
            }
            #expect(answer?.text == "GET /here ")
            #expect(slow.receiveAnswer() == nil)
            #expect(server.counts.connectionsEvicted == 1)
        }
    }

    /// A body that trickles in is no better than a head that does.
    @Test func slowBodyMakesRoom() throws {
        try HTTPServer.withServer(ScriptedHandler.echo, configure: { $0.maximumConnections = 1 }) { server in
            let slow = try LoopbackClient(server.address)
            slow.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n1")
            let client = try LoopbackClient(server.address)
            client.send(Self.get("/here"))
            #expect(client.receiveAnswer()?.text == "GET /here ")
            #expect(slow.receiveAnswer() == nil)
            #expect(server.counts.connectionsEvicted == 1)
        }
    }

    /// Who sends a thousand requests at once gets a few answers before everybody else has had a turn.
    @Test(arguments: [true, false]) func pipeliningClientWaitsForItsTurn(isAnsweredByTheHead: Bool) throws {
        struct Ordered: HTTPHandler {
            let gate = Gate()
            let order = Mailbox<String>()
            let isAnsweredByTheHead: Bool

            func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
                if head.path == "/gate" { gate.pass() }
                order.post(head.path)
                if isAnsweredByTheHead { return .answer(HTTPResponse(status: .ok)) }
                return .accept(maximumBodyBytes: 0) { _ in responder.respond(HTTPResponse(status: .ok)) }
            }
        }
        let handler = Ordered(isAnsweredByTheHead: isAnsweredByTheHead)
        try HTTPServer.withServer(handler) { server in
            let clients = try (0..<3).map { _ in try LoopbackClient(server.address) }
            for client in clients {
                client.send(Self.get("/hello"))
                #expect(client.receiveAnswer()?.status == .ok)
            }
            clients[0].send(Self.get("/gate"))
            handler.gate.waitForArrival()
            clients[1].send(String(repeating: Self.get("/many"), count: 1000))
            clients[2].send(Self.get("/one"))
            handler.gate.open()
            let order = handler.order.wait(for: 1005)
            #expect(order.firstIndex(of: "/one").map { $0 < 20 } == true)
            for _ in 0..<1000 { #expect(clients[1].receiveAnswer()?.status == .ok) }
        }
    }

    /// Sending a byte now and then does not keep a connection that another client needs.
    @Test func clientThatNeverFinishesAHeadMakesRoom() throws {
        try HTTPServer.withServer(ScriptedHandler.echo, configure: { $0.maximumConnections = 1 }) { server in
            let slow = try LoopbackClient(server.address)
            slow.send("GET / HTTP/1.1\r\nHo")
            let client = try LoopbackClient(server.address)
            client.send(Self.get("/here"))
            #expect(client.receiveAnswer()?.text == "GET /here ")
            #expect(slow.receiveAnswer() == nil)
        }
    }

    @Test func reserveServesOnlyWhatIsAnsweredAtOnce() throws {
        struct Health: HTTPHandler {
            func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
                if head.path == "/health" { return .answer(HTTPResponse(status: .ok)) }
                return .accept(maximumBodyBytes: 100) { _ in responder.respond(HTTPResponse(status: .ok)) }
            }
        }
        let configure = { (configuration: inout HTTPServer.Configuration) in
            configuration.maximumConnections = 1
            configuration.reservedConnections = 1
        }
        try HTTPServer.withServer(Health(), configure: configure) { server in
            let busy = try LoopbackClient(server.address)
            busy.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1")
            for (path, status) in [("/health", HTTPStatus.ok), ("/work", .serviceUnavailable), ("/health", .ok)] {
                let client = try LoopbackClient(server.address)
                client.send(Self.get(path))
                let answer = client.receiveAnswer()
                #expect(answer?.status == status)
                #expect(answer?.headers["Connection"] == "close")
                client.close()
            }
            busy.send("2")
            #expect(busy.receiveAnswer()?.status == .ok)
        }
    }

    @Test func takenPortIsReported() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let configuration = HTTPServer.Configuration(port: server.address.port)
            let error = #expect(throws: SystemError.self) {
                try HTTPServer(configuration: configuration, handler: ScriptedHandler.echo)
            }
            #expect(error?.description == "bind \(server.address): Address already in use")
        }
        #expect(throws: SystemError.self) {
            try HTTPServer(configuration: .init(host: "256.1.1.1"), handler: ScriptedHandler.echo)
        }
    }
}
