import Logging
import Synchronization
import TestSupport
import Testing

@testable import HTTPTransport
@testable import Images
@testable import Service
@testable import TokenizerCore

@Suite struct RequestIdentityTests {
    private func head(_ headers: HTTPHeaders, peer: String = "10.0.0.7") -> HTTPRequestHead {
        HTTPRequestHead(method: .get, target: "/", path: "/", headers: headers, peer: SocketAddress(host: peer, port: 1))
    }

    @Test(arguments: ["a", "Az09-_", String(repeating: "x", count: 64)])
    func aProperIDIsKept(id: String) {
        #expect(RequestIdentity(head(["X-Request-ID": id]), proxies: .none).id == id)
    }

    @Test(arguments: ["", "a b", "a\u{1b}[31m", "ä", "a\"", String(repeating: "x", count: 65)])
    func anyOtherIsReplaced(id: String) {
        let replaced = RequestIdentity(head(["X-Request-ID": id]), proxies: .none).id
        #expect(replaced != id && replaced.count == 16)
    }

    @Test func takesTheTraceOfAProperParent() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        #expect(RequestIdentity(head(["traceparent": "00-\(trace)-00f067aa0ba902b7-01"]), proxies: .none).trace == trace)
        for wrong in ["", "00-\(trace)-00f067aa0ba902b7", "ff-\(trace)-00f067aa0ba902b7-01", "00-\(trace.uppercased())-00f067aa0ba902b7-01"] {
            #expect(RequestIdentity(head(["traceparent": wrong]), proxies: .none).trace == nil)
        }
    }

    @Test(arguments: [
        ("none", "10.0.0.7", ["1.2.3.4"], "10.0.0.7"), ("10.0.0.0/8", "10.0.0.7", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.0/8", "11.0.0.7", ["1.2.3.4"], "11.0.0.7"),
        // What stands before the last address that no trusted proxy has is the client's own word.
        ("10.0.0.0/8", "10.0.0.7", ["6.6.6.6, 1.2.3.4, 10.1.1.1"], "1.2.3.4"), ("10.0.0.0/8", "10.0.0.7", ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.7", [], "10.0.0.7"), ("10.0.0.0/8", "10.0.0.7", ["1.2.3.4, rubbish"], "10.0.0.7"),
        ("10.0.0.0/8, ::1", "::1", ["2001:db8::1"], "2001:db8::1"), ("10.0.0.7", "::ffff:10.0.0.7", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.0/9", "10.128.0.1", ["1.2.3.4"], "10.128.0.1"),
    ])
    func believesTrustedProxiesAlone(proxies: String, peer: String, forwarded: [String], expected: String) throws {
        let trusted = proxies == "none" ? .none : try #require(TrustedProxies(proxies))
        var headers = HTTPHeaders()
        for value in forwarded { headers.add(name: "X-Forwarded-For", value: value) }
        #expect(RequestIdentity(head(headers, peer: peer), proxies: trusted).client == expected)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0/-1", "10.0.0.0/8/8", "::1/129"])
    func refusesWhatIsNoNetwork(text: String) {
        #expect(TrustedProxies(text) == nil)
    }
}

@Suite struct PrometheusTextTests {
    @Test func writesWhatPrometheusReads() {
        var histogram = Histogram([0.5, 1])
        for value in [0.25, 0.5, 0.75, 9] { histogram.record(value) }
        var text = PrometheusText()
        text.family("a_total", .counter, "Things.")
        text.sample("a_total", [("b", "x\"y\\z\n")], 3)
        text.family("c_seconds", .histogram, "Times.")
        text.sample("c_seconds", [("d", "e")], histogram)
        #expect(
            text.text == """
                # HELP a_total Things.
                # TYPE a_total counter
                a_total{b="x\\"y\\\\z\\n"} 3
                # HELP c_seconds Times.
                # TYPE c_seconds histogram
                c_seconds_bucket{d="e",le="0.5"} 2
                c_seconds_bucket{d="e",le="1"} 3
                c_seconds_bucket{d="e",le="+Inf"} 4
                c_seconds_sum{d="e"} 10.5
                c_seconds_count{d="e"} 4

                """)
    }
}

@Suite struct WatchdogTests {
    @Test func namesWhatHasTakenTooLong() {
        let watchdog = Watchdog(limit: .seconds(30))
        let now = ContinuousClock.now
        watchdog.watching(.batch(.decode, items: 3)) {
            watchdog.watching(.picture) {
                #expect(watchdog.stuck(at: now) == nil)
                let stuck = watchdog.stuck(at: now + .seconds(60))
                #expect(stuck?.work == .batch(.decode, items: 3))
                #expect(stuck.map { $0.duration <= .seconds(60) } == true)
            }
        }
        #expect(watchdog.stuck(at: now + .seconds(60)) == nil)
    }
}

@Suite struct TokenHealthTests {
    private let layout = try! GroupQuantizer.Layout(tokens: 4, codes: 8, latents: 8, codebooks: 1)

    @Test func comparesAsManyImagesAsTheCheckpointDid() throws {
        let health = try #require(TokenHealth(.init(layout: layout, images: 2, figures: .init(use: 1, perplexity: 8))))
        health.add(Tokens(ofOneImage: [0, 1, 2, 3]))
        #expect(health.comparison == nil)
        health.add(Tokens(ofOneImage: [4, 5, 6, 7]))
        let (now, reference) = try #require(health.comparison)
        #expect(now.use == 1 && abs(now.perplexity - 8) < 1e-9)
        #expect(now.drift(from: reference) < 1e-9)
        // Pictures that all look the same.
        for _ in 0..<2 { health.add(Tokens(ofOneImage: [3, 3, 3, 3])) }
        let (shifted, _) = try #require(health.comparison)
        #expect(shifted.use == 0.125 && shifted.perplexity == 1)
        #expect(shifted.drift(from: reference) == 3)
    }

    @Test func countsNothingWithoutAReferenceOrWithTooManyCodes() throws {
        #expect(TokenHealth(nil) == nil)
        let many = try GroupQuantizer.Layout(tokens: 128, codes: 16_384, latents: 128, codebooks: 128)
        #expect(TokenHealth(.init(layout: many, images: 2, figures: .init(use: 1, perplexity: 8))) == nil)
    }

    @Test func aVersionsTokensShowInTheMetrics() {
        let engine = FakeEngine(reference: .init(layout: layout, images: 1, figures: .init(use: 1, perplexity: 8)))
        let harness = ServiceHarness(engines: ["default": engine])
        _ = harness.post("/encode", "image/png", PNGEncoder.encode(FakeEngine.image(filledWith: 2)))
        let metrics = harness.get("/metrics").text
        #expect(metrics.contains("revq_token_use_ratio{model=\"default\",version=\"1\"} 0.5\n"))
        #expect(metrics.contains("revq_token_drift_bits{model=\"default\",version=\"1\"} 1\n"))
    }
}

@Suite struct TelemetryTests {
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40, size: 16))

    private func metrics(_ harness: ServiceHarness) -> [Substring] {
        harness.get("/metrics").text.split(separator: "\n")
    }

    @Test func countsWhatHappens() {
        let harness = ServiceHarness()
        _ = harness.post("/encode", "image/png", png)
        _ = harness.post("/encode", "image/png", Array(png.dropLast(30)))
        _ = harness.post("/encode?x", "text/plain", png)
        let lines = metrics(harness)
        for expected in [
            #"revq_http_requests_total{route="/encode",method="POST",code="200"} 1"#,
            #"revq_http_requests_total{route="/encode",method="POST",code="422"} 1"#,
            #"revq_http_requests_total{route="none",method="POST",code="404"} 1"#,
            #"revq_refused_total{code="image_truncated"} 1"#, #"revq_refused_total{code="not_found"} 1"#,
            #"revq_batch_dispatch_total{operation="encode",reason="idle"} 1"#, #"revq_batch_size_count{operation="encode"} 1"#,
            #"revq_stage_duration_seconds_count{operation="encode",stage="compute"} 1"#, #"revq_queue_depth{operation="encode"} 0"#,
            #"revq_model_info{model="default",version="1",fingerprint="f1",precision="fp32"} 1"#, "revq_stuck 0",
            "revq_log_lines_dropped_total 0",
        ] {
            #expect(lines.contains(Substring(expected)), "\(expected)")
        }
    }

    @Test func whatClientsSendMakesNoSeries() {
        let harness = ServiceHarness()
        _ = harness.send("FETCH", "/0").answer
        let before = metrics(harness).count
        for number in 1...200 { _ = harness.send("METHOD\(number)", "/\(number)", headers: ["X-Request-ID": "\(number)"]).answer }
        // The scrape before is counted by now: a route, a method and a status, and its duration.
        #expect(metrics(harness).count == before + 1 + Histogram.durations.bounds.count + 3)
        #expect(metrics(harness).count == before + 1 + Histogram.durations.bounds.count + 3)
    }

    @Test func everySeriesBelongsToItsFamily() {
        let harness = ServiceHarness()
        _ = harness.post("/encode", "image/png", png)
        var family: Substring = ""
        var families: [Substring] = []
        for line in metrics(harness) where !line.hasPrefix("# HELP") {
            if line.hasPrefix("# TYPE ") {
                family = line.split(separator: " ")[2]
                families.append(family)
            } else {
                #expect(line.hasPrefix(family))
            }
        }
        #expect(Set(families).count == families.count)
    }

    @Test func theStagesAddUpToTheWhole() throws {
        let answer = ServiceHarness().post("/encode", "image/png", png)
        let timing = try #require(answer.headers["Server-Timing"])
        let entries = timing.split(separator: ", ").map { $0.split(separator: ";dur=") }
        #expect(entries.map { String($0[0]) } == ["read", "thread", "prepare", "queue", "compute", "finish", "total"])
        let durations = try entries.map { try #require(Double($0[1])) }
        #expect(abs(durations.dropLast().reduce(0, +) - durations.last!) < 0.05 * 7)
    }

    @Test func anAnswerSaysWhichRequestItIsFor() {
        let harness = ServiceHarness()
        #expect(harness.post("/encode", "image/png", png, headers: ["X-Request-ID": "abc"]).headers["X-Request-ID"] == "abc")
        #expect(harness.send("GET", "/nothing", headers: ["X-Request-ID": "abc"]).answer.headers["X-Request-ID"] == "abc")
        #expect(harness.get("/livez").headers["X-Request-ID"]?.count == 16)
        #expect(harness.get("/livez").headers["Server-Timing"] == nil)
    }

    @Test func aRequestThatIsGivenUpIsCountedWhereItWas() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], maxBatch: 1)
        let running = harness.send("POST", "/encode", headers: ["Content-Type": "image/png"], body: png)
        gate.waitForArrival()
        running.responder.cancel(.disconnected)
        gate.open()
        _ = harness.post("/encode", "image/png", png)
        let lines = metrics(harness)
        #expect(lines.contains(#"revq_cancelled_total{stage="compute",reason="disconnected"} 1"#))
        #expect(lines.contains(#"revq_batch_interrupted_total{operation="encode"} 1"#))
    }

    @Test func aStuckBatchShowsInReadiness() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], stuckAfter: .zero)
        #expect(harness.get("/readyz").status == .ok)
        let running = harness.send("POST", "/encode", headers: ["Content-Type": "image/png"], body: png)
        gate.waitForArrival()
        // The thread that has read the picture may be about to leave it still.
        var answer = harness.get("/readyz")
        while answer.text.contains("the reading of a picture") { answer = harness.get("/readyz") }
        #expect(answer.problemCode == "stuck" && answer.status == .serviceUnavailable)
        #expect(answer.text.contains("a batch of 1 to encode has been going on for 0 s"))
        gate.open()
        #expect(running.answer.status == .ok)
    }

    @Test func aClientSaysHowLongItWaits() {
        let harness = ServiceHarness()
        for wrong in ["0", "-1", "1.5", "x", "99999999999999999999"] {
            #expect(harness.post("/encode", "image/png", png, headers: ["X-Request-Timeout-Ms": wrong]).problemCode == "malformed_header")
        }
        let head = HTTPRequestHead(
            method: .post, target: "/encode", path: "/encode", headers: ["Content-Type": "image/png", "X-Request-Timeout-Ms": "250"], contentLength: 9
        )
        guard case .accept(_, let answerWithin, let timeout, _) = harness.service.admit(head, HTTPResponder { _ in }, among: Route.table) else {
            Issue.record("the request was refused by its head")
            return
        }
        #expect(answerWithin == .milliseconds(250) && timeout == .milliseconds(250))
        #expect(harness.post("/encode", "image/png", png, headers: ["X-Request-Timeout-Ms": "60000"]).status == .ok)
    }
}

@Suite struct LogFormatTests {
    @Test func aJSONLineHoldsWhateverComes() throws {
        let lines = Mailbox<String>()
        let queue = try LogQueue { lines.post($0) }
        var logger = Logger(label: "test") { QueuedLogHandler(label: $0, format: .json, queue: queue) }
        logger.logLevel = .info
        logger.info("GET /\"\n{}", metadata: ["client": "::1", "message": "forged"])
        let line = lines.wait(for: 1)[0]
        #expect(line.hasSuffix("}\n") && line.count { $0 == "\n" } == 1)
        #expect(line.contains(#""message":"GET /\"\n{}""#) && line.contains(#""client":"::1""#) && !line.contains("forged"))
    }
}
