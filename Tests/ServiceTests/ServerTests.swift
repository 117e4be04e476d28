import Glibc
import Logging
import Testing

@testable import Compute
@testable import HTTPTransport
@testable import Images
@testable import Service

/// The whole server over loopback sockets, with an engine that computes nothing.
@Suite struct ServerTests {
    private let folder = TemporaryFolder()
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40, size: 16))
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func configuration(_ flags: [Setting: String] = [:]) throws -> ServerConfiguration {
        try ServerConfiguration(flags: [.checkpoints: folder.path, .port: "0"].merging(flags) { $1 }, environment: [:])
    }

    /// A server whose first checkpoint is being served.
    private func server(_ engine: FakeEngine = FakeEngine(), flags: [Setting: String] = [:]) throws -> Server {
        folder.publish("1", to: "default/1")
        let loaded = Gate()
        let server = try Server(try configuration(flags), logger: logger, interval: .milliseconds(1)) { _ in
            loaded.open()
            return engine
        }
        loaded.pass()
        try LoopbackClient(url: server.url).waitUntilReady()
        return server
    }

    @Test func whatEncodeAnswersDecodes() throws {
        let server = try server()
        let client = try LoopbackClient(url: server.url)
        let tokens = try client.post("/encode", "image/png", png)
        #expect(tokens.status == .ok)
        let image = try client.post("/decode", "application/json", tokens.body)
        #expect(try ImageDecoder.decode(image.body) == FakeEngine.image(filledWith: 40))
        let array = try client.post("/encode", "image/png", png, headers: ["Accept": "application/x-npy"])
        #expect(try client.post("/decode", "application/x-npy", array.body).body == image.body)
        #expect(try client.post("/reconstruct", "image/png", png).body == image.body)
        server.stop(within: .seconds(5))
    }

    /// Every route answers 200, and refuses, as `openapi.yaml` says.
    @Test func everyRouteAnswersAsDeclared() throws {
        let server = try server()
        let client = try LoopbackClient(url: server.url)
        let bodies = ["image/png": png, "application/json": Array(#"{"fingerprint":"f1","tokens":[1,2,3,4]}"#.utf8)]
        for route in Route.table {
            let type = route.endpoint == .compute(.decode) ? "application/json" : "image/png"
            let (body, headers): ([UInt8]?, HTTPHeaders) = route.accepts.isEmpty ? (nil, [:]) : (bodies[type], ["Content-Type": type])
            let answer = try client.send(route.method.rawValue, route.path, headers: headers, body: body)
            #expect(answer.status == .ok)
            #expect(answer.headers["Content-Type"] == route.offers[0])
            let declared = Set(route.problems.map(\.status))
            for (target, accept, sent) in [(route.path + "?x=1", "*/*", body), (route.path, "text/html", body), (route.path, "*/*", body.map { _ in [1, 2, 3] })] {
                var headers = headers
                headers["Accept"] = accept
                let answer = try client.send(route.method.rawValue, target, headers: headers, body: sent)
                #expect(answer.status == .ok && body == nil || declared.contains(answer.status.code) && answer.problemCode != nil)
            }
        }
        server.stop(within: .seconds(5))
    }

    @Test func answersHEADWithoutABody() throws {
        let server = try server()
        let client = try LoopbackClient(url: server.url)
        let head = try client.send("HEAD", "/models")
        let get = try client.send("GET", "/models")
        #expect(head.body.isEmpty)
        #expect(head.headers["Content-Length"] == "\(get.body.count)")
        server.stop(within: .seconds(5))
    }

    @Test func refusesWhatIsTooLargeBeforeItIsSent() throws {
        let server = try server()
        let client = try LoopbackClient(url: server.url)
        let answer = try client.send("POST", "/encode", headers: ["Content-Type": "image/png", "Content-Length": "99999999999"])
        #expect(answer.status == .contentTooLarge)
        #expect(answer.problemCode == "body_too_large")
        #expect(try client.send("GET", "/x\u{7f}").problemCode == "bad_request")
        server.stop(within: .seconds(5))
    }

    @Test func aClientThatLeavesFreesItsSlot() throws {
        let gate = Gate()
        let server = try server(FakeEngine(gate: gate), flags: [.maxQueue: "1", .maxBatch: "1"])
        let client = try LoopbackClient(url: server.url)
        let head = "POST /encode HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: \(png.count)\r\n\r\n"
        let descriptor = try client.open(sending: Array(head.utf8) + png)
        gate.waitForArrival()
        #expect(try client.post("/encode", "image/png", png).problemCode == "overloaded")
        close(descriptor)
        gate.open()
        // The server learns of the closed connection in its own time.
        try client.answer({ $0.status == .ok }, to: { try $0.post("/encode", "image/png", png) })
        server.stop(within: .seconds(5))
    }

    @Test func stoppingAnswersWhatIsInProgress() async throws {
        let gate = Gate()
        let server = try server(FakeEngine(gate: gate))
        let client = try LoopbackClient(url: server.url)
        let png = png
        let answer = Mailbox<HTTPStatus>()
        let request = ServiceThread { answer.post((try? client.post("/encode", "image/png", png).status) ?? HTTPStatus(599)) }
        gate.waitForArrival()
        let stop = ServiceThread { server.stop(within: .seconds(30)) }
        gate.open()
        request.join()
        stop.join()
        #expect(answer.posted == [.ok])
        #expect(throws: LoopbackClient.Failure.self) { try client.send("GET", "/livez") }
    }

    @Test func aNewCheckpointTakesOverWithoutAFailedRequest() throws {
        folder.publish("1", to: "default/1")
        let server = try Server(try configuration(), logger: logger, interval: .milliseconds(1)) { path in
            let version = Int(path.split(separator: "/").last ?? "") ?? 0
            return FakeEngine(version: version, fingerprint: "f\(version)")
        }
        let client = try LoopbackClient(url: server.url)
        try client.waitUntilReady()
        var versions: [String] = []
        for version in 2...5 {
            folder.publish("\(version)", to: "default/\(version)")
            try client.answer({ $0.headers["Revq-Version"] == "\(version)" }, to: { client in
                let answer = try client.post("/encode", "image/png", png)
                #expect(answer.status == .ok)
                versions.append(answer.headers["Revq-Version"] ?? "")
                return answer
            })
        }
        #expect(versions == versions.sorted())
        let earlier = try client.post("/decode", "application/json", Array(#"{"fingerprint":"f4","tokens":[1,2,3,4]}"#.utf8))
        #expect(earlier.headers["Revq-Version"] == "4")
        server.stop(within: .seconds(5))
    }

    @Test func refusesAFolderThatIsNotThere() throws {
        let configuration = try configuration([.checkpoints: "/nowhere"])
        #expect(throws: ConfigurationError(description: "cannot read the folder /nowhere: No such file or directory")) {
            try Server(configuration, logger: logger)
        }
    }

    @Test func refusesAnAddressInUse() throws {
        let server = try server()
        let port = try LoopbackClient(url: server.url).port
        let taken = try configuration([.port: "\(port)"])
        #expect(throws: SystemError.self) { try Server(taken, logger: logger) }
        server.stop(within: .seconds(5))
    }
}
