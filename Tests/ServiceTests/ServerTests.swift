import Logging
import Pages
import TestSupport
import Testing
import Threads

@testable import Compute
@testable import Files
@testable import HTTPTransport
@testable import Images
@testable import Service

/// The whole server over loopback sockets, with an engine that computes nothing.
@Suite struct ServerTests {
    private let folder = ScratchFolder()
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40, size: 16))
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func configuration(_ flags: [String: String] = [:]) throws -> ServerConfiguration {
        try ServerConfiguration(SettingSources(flags: ["checkpoints": folder.path, "port": "0"].merging(flags) { $1 }))
    }

    /// A server whose first checkpoint is being served.
    private func server(_ engine: FakeEngine = FakeEngine(), flags: [String: String] = [:]) throws -> Server {
        try folder.publish("1", to: "default/1")
        let loaded = Gate()
        let server = try Server(try configuration(flags), logger: logger, interval: .milliseconds(1)) { _, _ in
            loaded.open()
            return engine
        }
        loaded.pass()
        try ServerClient(server).waitUntilReady()
        return server
    }

    @Test func whatEncodeAnswersDecodes() throws {
        let server = try server()
        let client = ServerClient(server)
        let tokens = try client.post("/encode", "image/png", png)
        #expect(tokens.status == .ok)
        let image = try client.post("/decode", "application/json", tokens.body)
        #expect(try ImageDecoder.decode(image.body) == FakeEngine.image(filledWith: 40))
        let array = try client.post("/encode", "image/png", png, headers: ["Accept": "application/x-npy"])
        let fingerprint: HTTPHeaders = ["Revq-Fingerprint": array.headers["Revq-Fingerprint"] ?? ""]
        #expect(try client.post("/decode", "application/x-npy", array.body, headers: fingerprint).body == image.body)
        #expect(try client.post("/reconstruct", "image/png", png).body == image.body)
        server.stop(within: .seconds(5))
    }

    private static func encodeHead(_ bodyBytes: Int) -> String {
        "POST /encode HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: \(bodyBytes)\r\n\r\n"
    }

    /// Every route answers 200, and refuses, as `openapi.yaml` says.
    @Test func everyRouteAnswersAsDeclared() throws {
        let server = try server()
        let client = ServerClient(server)
        let tensor = "{\"name\":\"image\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"\(base64(png))\"]}"
        for route in Route.table where !route.endpoint.isAdministration {
            let (type, sample): (String, [UInt8]) =
                switch route.endpoint {
                case .compute(.decode): ("application/json", Array(#"{"fingerprint":"f1","tokens":[1,2,3,4]}"#.utf8))
                case .infer: ("application/json", Array("{\"inputs\":[\(tensor)]}".utf8))
                default: ("image/png", png)
                }
            let path = route.path.replacing("{model}", with: "default.encode").replacing("{version}", with: "1")
            let (body, headers): ([UInt8]?, HTTPHeaders) = route.accepts.isEmpty ? (nil, [:]) : (sample, ["Content-Type": type])
            let answer = try client.send(route.method.rawValue, path, headers: headers, body: body)
            #expect(answer.status == .ok)
            #expect(answer.headers["Content-Type"].flatMap { MediaType(parsing: $0) }?.name == route.offers[0])
            let declared = Set(route.problems.map(\.status))
            for (target, accept, sent) in [
                (path + "?x=1", "*/*", body), (path, "text/html", body), (path, "*/*", body.map { _ in [1, 2, 3] }),
            ] {
                var headers = headers
                headers["Accept"] = accept
                let answer = try client.send(route.method.rawValue, target, headers: headers, body: sent)
                #expect(answer.status == .ok && body == nil || declared.contains(answer.status.code) && answer.problemCode != nil)
            }
        }
        server.stop(within: .seconds(5))
    }

    @Test func healthAndMetricsMayHaveAPortOfTheirOwn() throws {
        let server = try server(flags: ["admin-port": "0"])
        let client = ServerClient(server)
        let address = try #require(server.adminAddress)
        for path in ["/livez", "/readyz", "/models", "/metrics", "/status", "/pages/status.js"] {
            #expect(try LoopbackClient.send("GET", path, to: address).status == .ok)
        }
        #expect(try LoopbackClient.send("POST", "/encode", to: address, headers: ["Content-Type": "image/png"], body: png).status == .notFound)
        #expect(try client.send("GET", "/readyz").status == .ok)
        #expect(try LoopbackClient.send("GET", "/", to: address).status == .notFound)
        #expect(try client.send("GET", "/metrics").status == .notFound)
        #expect(try client.send("GET", "/status").status == .ok)
        #expect(try client.post("/encode", "image/png", png).status == .ok)
        server.stop(within: .seconds(5))
    }

    /// Every order, by whoever may and where that is possible.
    @Test func onlyOperatorsOrderAndOnTheirPortAlone() throws {
        try folder.write("boss \(FileDigest.sha256("one")) operations=admin\nshop \(FileDigest.sha256("two"))\n", to: ".keys")
        let server = try server(flags: ["admin-port": "0", "api-keys": "\(folder.path)/.keys"])
        let address = try #require(server.adminAddress)
        let standing = try LoopbackClient.send("GET", "/admin/models/default", to: address, headers: ["X-API-Key": "one"])
        #expect(standing.status == .ok && standing.text.contains("\"stable\":1"))
        #expect(try LoopbackClient.send("GET", "/admin/models/default", to: address, headers: ["X-API-Key": "two"]).status.code == 403)
        #expect(try ServerClient(server).post("/encode", "image/png", png, headers: ["X-API-Key": "one"]).status.code == 403)
        for route in Route.table where route.endpoint.isAdministration && route.method == .post {
            let target = route.path.replacing("{model}", with: "default")
            let answer = try LoopbackClient.send("POST", target, to: address, headers: ["Authorization": "Bearer one"])
            #expect(answer.status == .ok || [400, 409].contains(answer.status.code), "\(target): \(answer.text)")
            #expect(try LoopbackClient.send("POST", target, to: server.address, headers: ["X-API-Key": "one"]).status == .notFound)
        }
        server.stop(within: .seconds(5))
    }

    @Test func thePlaygroundCanBeLeftOut() throws {
        let server = try server(flags: ["no-playground": "true"])
        let client = ServerClient(server)
        #expect(try client.send("GET", "/").problemCode == "not_found")
        #expect(try client.send("GET", "/docs").status == .ok)
        #expect(try client.send("GET", "/openapi.yaml").status == .ok)
        server.stop(within: .seconds(5))
    }

    /// What is asked for again costs no transfer, also where a cache of the client has made its tag weak.
    @Test func aPageThatTheClientHasIsNotSentAgain() throws {
        let server = try server()
        let client = ServerClient(server)
        let page = try client.send("GET", "/")
        let tag = try #require(page.headers["ETag"])
        #expect(page.status == .ok && page.body == PageFile.playground.bytes)
        for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
            let again = try client.send("GET", "/", headers: ["If-None-Match": known])
            #expect(again.status == .notModified && again.body.isEmpty && again.headers["ETag"] == tag)
            #expect(again.headers["Content-Security-Policy"] == page.headers["Content-Security-Policy"])
        }
        #expect(try client.send("GET", "/", headers: ["If-None-Match": "\"x\""]).status == .ok)
        let head = try client.send("HEAD", "/")
        #expect(head.body.isEmpty && head.headers["ETag"] == tag && head.headers["Content-Length"] == "\(page.body.count)")
        server.stop(within: .seconds(5))
    }

    /// The preface, empty SETTINGS, and `GET /` of the host `a`, by HPACK's static table.
    @Test func metricsCountRequestsByTheirProtocol() throws {
        let server = try server(flags: ["no-playground": "true"])
        let client = try LoopbackClient(server.address)
        client.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0])
        client.send([0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, UInt8(ascii: "a")])
        while client.receive()?.contains(UInt8(ascii: "{")) == false {}
        let metrics = try ServerClient(server).send("GET", "/metrics").text
        #expect(metrics.contains("revq_http_protocol_requests_total{protocol=\"HTTP/1\"} "))
        #expect(metrics.contains("revq_http_protocol_requests_total{protocol=\"HTTP/2\"} 1\n"))
        #expect(metrics.contains("revq_http2_connections_total 1\n"))
        #expect(metrics.contains("revq_http2_misbehaved_total{reason=\"resets\"} 0\n"))
        server.stop(within: .seconds(5))
    }

    @Test func answersHEADWithoutABody() throws {
        let server = try server()
        let client = ServerClient(server)
        let head = try client.send("HEAD", "/models")
        let get = try client.send("GET", "/models")
        #expect(head.body.isEmpty)
        #expect(head.headers["Content-Length"] == "\(get.body.count)")
        server.stop(within: .seconds(5))
    }

    @Test func refusesWhatIsTooLargeBeforeItIsSent() throws {
        let server = try server()
        let client = ServerClient(server)
        let answer = try client.send("POST", "/encode", headers: ["Content-Type": "image/png", "Content-Length": "99999999999"])
        #expect(answer.status == .contentTooLarge)
        #expect(answer.problemCode == "body_too_large")
        #expect(try client.send("GET", "/x\u{7f}").problemCode == "bad_request")
        server.stop(within: .seconds(5))
    }

    @Test func aClientThatLeavesFreesItsSlot() throws {
        let gate = Gate()
        let server = try server(FakeEngine(gate: gate), flags: ["max-queue": "1", "max-batch": "1"])
        let client = ServerClient(server)
        let leaving = try LoopbackClient(client.address)
        leaving.send(Array(Self.encodeHead(png.count).utf8) + png)
        gate.waitForArrival()
        #expect(try client.post("/encode", "image/png", png).problemCode == "overloaded")
        leaving.close()
        gate.open()
        // The server learns of the closed connection in its own time.
        try client.answer({ $0.status == .ok }, to: { try $0.post("/encode", "image/png", png) })
        server.stop(within: .seconds(5))
    }

    @Test func stoppingAnswersWhatIsInProgress() async throws {
        let gate = Gate()
        let server = try server(FakeEngine(gate: gate))
        let client = ServerClient(server)
        let png = png
        let answer = Mailbox<HTTPStatus>()
        let request = try DedicatedThread { answer.post((try? client.post("/encode", "image/png", png).status) ?? HTTPStatus(599)) }
        gate.waitForArrival()
        let stop = try DedicatedThread { server.stop(within: .seconds(30)) }
        gate.open()
        request.join()
        stop.join()
        #expect(answer.posted == [.ok])
        #expect(throws: LoopbackClient.Failure.self) { try client.send("GET", "/livez") }
    }

    /// SIGTERM: not ready, on a listener that is still open, and everything is served until it closes.
    @Test func aDrainingServerIsNotReadyAndLosesNoRequest() throws {
        let server = try server()
        let client = ServerClient(server)
        let kept = try LoopbackClient(client.address)
        kept.send("GET /models HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(kept.receiveAnswer()?.headers["Connection"] == nil)
        server.drain()
        let notReady = try client.send("GET", "/readyz")
        #expect(notReady.status == .serviceUnavailable)
        #expect(notReady.problemCode == "shutting_down")
        #expect(try client.post("/encode", "image/png", png).status == .ok)
        kept.send(Array(Self.encodeHead(png.count).utf8) + png)
        let last = kept.receiveAnswer()
        #expect(last?.status == .ok)
        #expect(last?.headers["Connection"] == "close")
        server.stop(within: .seconds(5))
        #expect(throws: LoopbackClient.Failure.self) { try LoopbackClient(client.address) }
    }

    /// What came between /encode and /decode must not decide what tokens without a fingerprint look like.
    @Test func aSwapNeverMakesAWrongPicture() throws {
        try folder.publish("1", to: "default/1")
        let server = try Server(try configuration(), logger: logger, interval: .milliseconds(1)) { path, _ in
            let version = Int(path.split(separator: "/").last ?? "") ?? 0
            return FakeEngine(version: version, fingerprint: "f\(version)")
        }
        let client = ServerClient(server)
        try client.waitUntilReady()
        let array = try client.post("/encode", "image/png", png, headers: ["Accept": "application/x-npy"])
        try folder.publish("2", to: "default/2")
        try client.answer({ $0.headers["Revq-Version"] == "2" }, to: { try $0.post("/encode", "image/png", png) })
        let refused = try client.post("/decode", "application/x-npy", array.body)
        #expect(refused.status == .unprocessableContent)
        #expect(refused.text.contains("Revq-Fingerprint") && refused.text.contains("?fingerprint="))
        let decoded = try client.post("/decode?fingerprint=\(array.headers["Revq-Fingerprint"] ?? "")", "application/x-npy", array.body)
        #expect(decoded.headers["Revq-Version"] == "1")
        server.stop(within: .seconds(5))
    }

    @Test func answersOptionsForTheWholeServer() throws {
        let server = try server()
        let answer = try ServerClient(server).send("OPTIONS", "*")
        #expect(answer.status == .noContent)
        #expect(answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS")
        server.stop(within: .seconds(5))
    }

    /// Every connection is held by a client that never sends a whole request.
    @Test func healthChecksAreAnsweredWhenEveryConnectionIsInUse() throws {
        let server = try server(flags: ["max-connections": "2"])
        let client = ServerClient(server)
        let slow = try (0..<2).map { _ in try LoopbackClient(client.address) }
        for client in slow { client.send(Self.encodeHead(1_000)) }
        #expect(try client.send("GET", "/livez").status == .ok)
        #expect(try client.send("GET", "/readyz").status == .ok)
        server.stop(within: .zero)
    }

    @Test func aNewCheckpointTakesOverWithoutAFailedRequest() throws {
        try folder.publish("1", to: "default/1")
        let server = try Server(try configuration(), logger: logger, interval: .milliseconds(1)) { path, _ in
            let version = Int(path.split(separator: "/").last ?? "") ?? 0
            return FakeEngine(version: version, fingerprint: "f\(version)")
        }
        let client = ServerClient(server)
        try client.waitUntilReady()
        var versions: [String] = []
        for version in 2...5 {
            try folder.publish("\(version)", to: "default/\(version)")
            try client.answer(
                { $0.headers["Revq-Version"] == "\(version)" },
                to: { client in
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
        let configuration = try configuration(["checkpoints": "/nowhere"])
        #expect(throws: ConfigurationError(description: "cannot list the folder /nowhere: No such file or directory")) {
            try Server(configuration, logger: logger)
        }
    }

    @Test func refusesAnAddressInUse() throws {
        let server = try server()
        let port = ServerClient(server).address.port
        let taken = try configuration(["port": "\(port)"])
        #expect(throws: SystemError.self) { try Server(taken, logger: logger) }
        server.stop(within: .seconds(5))
    }
}
