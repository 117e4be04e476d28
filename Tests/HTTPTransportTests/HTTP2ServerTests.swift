import TestSupport
import Testing
import Threads

@testable import HTTPTransport

/// HTTP/2 over loopback sockets, on the port that HTTP/1.1 is on.
@Suite struct HTTP2ServerTests {
    /// A client that says frames and reads what it is answered.
    final class Client {
        let socket: LoopbackClient
        private(set) var heard = HTTP2Reading()

        init(_ address: SocketAddress, preface: [UInt8] = HTTP2Frame.preface) throws {
            socket = try LoopbackClient(address)
            socket.send(preface)
        }

        func say(_ frames: HTTP2Frame...) { socket.send(frames.flatMap(\.bytes)) }

        /// Passes over bytes that are not frames.
        func skip(to end: String) {
            var text: [UInt8] = []
            let end = Array(end.utf8)
            while let more = socket.receive() {
                text += more
                if let found = text.firstRange(of: end) { return heard.read(Array(text[found.upperBound...])) }
            }
        }

        /// - Returns: false if the connection ends first.
        @discardableResult func listen(until isHeard: (HTTP2Reading) -> Bool) -> Bool {
            while !isHeard(heard) {
                guard let bytes = socket.receive() else { return false }
                heard.read(bytes)
            }
            return true
        }

        func answer(_ stream: Int32) -> HTTPResponse? {
            listen { $0.finished.contains(stream) }
            return heard.answers[stream]
        }

        func listenToEnd() {
            listen { _ in false }
        }
    }

    @Test func bothProtocolsOnOnePort() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let second = try Client(server.address)
            second.say(.get(1, "/2"))
            #expect(second.answer(1)?.text == "GET /2 ")
            #expect(try LoopbackClient.send("GET", "/1", to: server.address).text == "GET /1 ")
            #expect(server.counts.requestsByHTTP1 == 1)
            #expect(server.counts.requestsByHTTP2 == 1)
            #expect(server.counts.http2Connections == 1)
        }
    }

    @Test func prefaceInPieces() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try Client(server.address, preface: [])
            for byte in HTTP2Frame.preface + HTTP2Frame.get(1, "/2").bytes { client.socket.send([byte]) }
            #expect(client.answer(1)?.text == "GET /2 ")
        }
    }

    @Test func whatOnlyBeginsAsThePrefaceIsHTTP1() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            for text in ["P", "PRI * HTTP/2.0\r\n\r\nSX"] {
                let client = try LoopbackClient(server.address)
                client.send(text)
                client.shutDownWriting()
                #expect([.badRequest, .httpVersionNotSupported].contains(client.receiveAnswer()?.status))
            }
        }
    }

    private static func upgrade(_ method: String, _ more: String, settings: String = "AAMAAABkAAQCAAAAAAIAAAAA") -> String {
        "\(method) /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \(settings)\r\n\(more)"
    }

    @Test(arguments: [
        ("GET", "\r\n"), ("POST", "Content-Length: 4\r\n\r\nbody"), ("POST", "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
    ])
    func upgradedRequestBecomesStreamOne(method: String, rest: String) throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try Client(server.address, preface: Array(Self.upgrade(method, rest).utf8))
            client.skip(to: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
            #expect(client.answer(1)?.text == "\(method) /u " + (method == "POST" ? "body" : ""))
            client.socket.send(HTTP2Frame.preface)
            client.say(.get(3, "/next"))
            #expect(client.answer(3)?.text == "GET /next ")
            #expect(server.bufferedBodyBytes == 0)
        }
    }

    @Test func upgradeThatIsAnsweredByTheHead() throws {
        struct Busy: HTTPHandler {
            func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission { .answer(HTTPResponse(status: .tooManyRequests)) }
        }
        try HTTPServer.withServer(Busy()) { server in
            let client = try Client(server.address, preface: Array((Self.upgrade("GET", "\r\n")).utf8) + HTTP2Frame.preface)
            client.skip(to: "h2c\r\n\r\n")
            #expect(client.answer(1)?.status == .tooManyRequests)
            // The body is thrown away, and HTTP/1.1 goes on.
            let other = try LoopbackClient(server.address)
            other.send(Self.upgrade("POST", "Content-Length: 4\r\n\r\nbody"))
            #expect(other.receiveAnswer()?.status == .tooManyRequests)
        }
    }

    @Test func offerThatMakesNoSenseIsPassedOver() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try LoopbackClient(server.address)
            client.send(Self.upgrade("GET", "\r\n", settings: "A"))
            #expect(client.receiveAnswer()?.text == "GET /u ")
        }
    }

    @Test func requestsBeforeAnUpgradeAreAnsweredBeforeIt() throws {
        try HTTPServer.withServer(ScriptedHandler.echo) { server in
            let client = try LoopbackClient(server.address)
            client.send(HTTPServerTests.get("/1") + Self.upgrade("GET", "\r\n"))
            #expect(client.receiveAnswer()?.text == "GET /1 ")
        }
    }

    @Test func hundredStreamsAtOnce() throws {
        let body = [UInt8](repeating: 7, count: 50_000)
        try HTTPServer.withServer(ScriptedHandler { $1.respond(HTTPResponse(status: .ok, body: $0.body + body)) }) { server in
            let client = try Client(server.address)
            client.say(.settings([(4, 1 << 20)]), .windowUpdate(0, 1 << 30))
            for stream in 0..<100 { client.say(.post(Int32(2 * stream + 1))) }
            for stream in 0..<100 { client.say(.data(Int32(2 * stream + 1), [UInt8(stream)], ends: true)) }
            for stream in 0..<100 { #expect(client.answer(Int32(2 * stream + 1))?.body == [UInt8(stream)] + body) }
        }
    }

    @Test(arguments: [true, false]) func resetOrLeavingCancels(byReset: Bool) throws {
        let waiting = HTTPServerEndingTests.Waiting()
        try HTTPServer.withServer(waiting.handler) { server in
            let client = try Client(server.address)
            client.say(.get(1), .get(3))
            let responders = try [#require(waiting.arrivals.take()), #require(waiting.arrivals.take())]
            byReset ? client.say(.reset(1)) : client.socket.close()
            #expect(waiting.cancellations.take() == .disconnected)
            if byReset {
                #expect(responders.map(\.isCancelled) == [true, false])
                responders[1].respond(HTTPResponse(status: .ok, text: "the other"))
                #expect(client.answer(3)?.text == "the other")
            } else {
                #expect(waiting.cancellations.take() == .disconnected)
                #expect(responders.map(\.isCancelled) == [true, true])
            }
        }
    }

    @Test func drainingFinishesStreamsAndSendsGoAway() throws {
        let waiting = HTTPServerEndingTests.Waiting()
        let server = try HTTPServer(configuration: .init(), handler: waiting.handler)
        let client = try Client(server.address)
        client.say(.get(1))
        let responder = try #require(waiting.arrivals.take())
        server.drain()
        #expect(client.listen { !$0.all(.goAway).isEmpty && !$0.all(.ping).isEmpty })
        let stopping = try DedicatedThread { server.stop(within: .seconds(60)) }
        client.say(HTTP2Frame(kind: .ping, flags: HTTP2Frame.ack, payload: [UInt8](repeating: 0, count: 8)))
        #expect(client.listen { $0.all(.goAway).count == 2 })
        responder.respond(HTTPResponse(status: .ok, text: "finished"))
        #expect(client.answer(1)?.text == "finished")
        client.listenToEnd()
        client.socket.close()
        stopping.join()
        #expect(client.heard.goAway == 0)
    }

    @Test func reservedConnectionAnswersByTheHeadOnly() throws {
        try HTTPServer.withServer(
            ScriptedHandler.echo,
            configure: { ($0.maximumConnections, $0.reservedConnections) = (1, 1) }
        ) { server in
            let first = try LoopbackClient(server.address)
            first.send(HTTPServerTests.get("/"))
            #expect(first.receiveAnswer()?.status == .ok)
            let client = try Client(server.address)
            client.say(.get(1))
            #expect(client.answer(1)?.status == .serviceUnavailable)
            #expect(client.answer(1)?.headers["Retry-After"] == "1")
            client.listen { !$0.all(.goAway).isEmpty }
            #expect(server.counts.connectionsRefusedBecauseFull == 1)
        }
    }

    @Test func misbehavingClientIsCountedAndOthersGoOn() throws {
        try HTTPServer.withServer(ScriptedHandler.echo, configure: { $0.limits.http2.resetsPerSecond = 10 }) { server in
            let other = try Client(server.address)
            other.say(.get(1))
            #expect(other.answer(1)?.status == .ok)
            let client = try Client(server.address)
            for stream in 0..<40 { client.say(.get(Int32(2 * stream + 1)), .reset(Int32(2 * stream + 1))) }
            client.listenToEnd()
            #expect(client.heard.goAway == 11)
            other.say(.get(3))
            #expect(other.answer(3)?.status == .ok)
            #expect(server.counts.http2Misbehaviours[.resets] == 1)
        }
    }
}
