import HTTPTransport
import Logging
import TestSupport
import Testing

@testable import Service

@Suite struct ReadinessProbeTests {
    private func probe(_ flags: [String: String]) throws -> ReadinessProbe {
        try ReadinessProbe(try ServerConfiguration(SettingSources(flags: flags)))
    }

    @Test(arguments: [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "::1"), ("revq.local", "revq.local")])
    func whatListensEverywhereIsAskedOnLoopback(host: String, asked: String) throws {
        #expect(try probe(["host": host, "port": "81"]).address == SocketAddress(host: asked, port: 81))
    }

    @Test func thePortOfHealthAndMetricsIsAskedWhereThereIsOne() throws {
        #expect(try probe(["admin-port": "82", "port": "0"]).address.port == 82)
    }

    @Test func aPortThatNobodyKnowsIsRefused() {
        let wanted = ConfigurationError(description: "--probe wants a port, not 0, which stands for any that is free")
        #expect(throws: wanted) { try probe(["port": "0"]) }
        #expect(throws: wanted) { try probe(["port": "81", "admin-port": "0"]) }
    }

    @Test func tellsReadyFromDrainingFromGone() throws {
        let folder = ScratchFolder()
        try folder.publish("1", to: "default/1")
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let configuration = try ServerConfiguration(SettingSources(flags: ["checkpoints": folder.path, "port": "0"]))
        let server = try Server(configuration, logger: logger, interval: .milliseconds(1)) { _, _ in FakeEngine() }
        try ServerClient(server).waitUntilReady()
        let (probe, url) = (try probe(["port": "\(server.address.port)"]), "http://\(server.address)/readyz")
        let ready = probe.ask(within: .seconds(60))
        #expect(ready.isReady && ready.line == "\(url) answered 200: {\"status\":\"ready\"}")
        server.drain()
        let draining = probe.ask(within: .seconds(60))
        #expect(!draining.isReady && draining.line.hasPrefix("\(url) answered 503: ") && draining.line.contains("shutting_down"))
        server.stop(within: .seconds(5))
        let gone = probe.ask(within: .seconds(60))
        #expect(!gone.isReady && gone.line == "\(url): connect to \(server.address): Connection refused")
    }
}
