import TestSupport
import Testing

@testable import Compute
@testable import HTTPTransport
@testable import Images
@testable import Service
@testable import TokenizerCore

/// What is asked for twice is computed once.
@Suite struct SharedResultTests {
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40))

    @Test func identicalRequestsInFlightAreComputedOnce() {
        let gate = Gate()
        let engine = FakeEngine(gate: gate)
        let harness = ServiceHarness(engines: ["default": engine], maxBatch: 1)
        let pending = (0..<4).map { _ in harness.send("POST", "/encode", body: png) }
        gate.waitForArrival()
        while !harness.get("/metrics").text.contains("revq_shared_results_total{kind=\"followed\"} 3\n") {}
        gate.open()
        let answers = pending.map(\.answer)
        #expect(answers.allSatisfy { $0.body == answers[0].body && $0.status == .ok })
        #expect(engine.batchSizes == [1])
        #expect(harness.service.backlog == 0)
        // Without a memory, what comes later is computed again.
        #expect(harness.post("/encode", "image/png", png).status == .ok)
        #expect(engine.batchSizes == [1, 1])
    }

    @Test func whereTheFirstClientGoesTheNextOneIsServed() {
        let gate = Gate()
        let engine = FakeEngine(gate: gate)
        let harness = ServiceHarness(engines: ["default": engine], maxBatch: 1)
        let first = harness.send("POST", "/encode", body: png)
        gate.waitForArrival()
        let second = harness.send("POST", "/encode", body: png)
        first.responder.cancel(.disconnected)
        gate.open()
        #expect(second.answer.status == .ok)
        #expect(harness.service.backlog == 0)
    }

    @Test func whoAsksForItIsServedAnew() {
        let engine = FakeEngine()
        let harness = ServiceHarness(engines: ["default": engine], cacheBytes: 1 << 20)
        for headers: HTTPHeaders in [[:], [:], ["Cache-Control": "no-cache"]] {
            #expect(harness.send("POST", "/encode", headers: headers, body: png).answer.status == .ok)
        }
        #expect(engine.batchSizes == [1, 1])
        #expect(harness.get("/metrics").text.contains("revq_shared_results_total{kind=\"remembered\"} 1\n"))
    }

    @Test func everyOperationAndVersionHasItsOwn() {
        let harness = ServiceHarness(cacheBytes: 1 << 20)
        let tokens = harness.post("/encode", "image/png", png)
        let picture = harness.post("/reconstruct", "image/png", png)
        #expect(picture.body == harness.post("/decode", "application/json", tokens.body).body)
        #expect(harness.post("/reconstruct", "image/png", png).headers["Revq-PSNR"] == picture.headers["Revq-PSNR"])
        harness.registry.serve(FakeEngine(version: 2, fingerprint: "f2"), as: "default")
        #expect(harness.post("/encode", "image/png", png).headers["Revq-Fingerprint"] == "f2")
        #expect(harness.post("/encode", "image/png", png).text.contains("\"version\":2"))
    }

    @Test func aFailureIsToldToAllAndNotRemembered() {
        let engine = FakeEngine()
        let harness = ServiceHarness(engines: ["default": engine], cacheBytes: 1 << 20)
        let unlucky = PNGEncoder.encode(FakeEngine.image(filledWith: 13))
        for _ in 0..<2 { #expect(harness.post("/encode", "image/png", unlucky).problemCode == "engine_failed") }
        #expect(engine.batchSizes == [1, 1])
    }

    @Test func theMemoryIsBounded() {
        var memory = ResultMemory(limitBytes: 4 * (256 + 16))
        let outcome = Outcome(.tokens(Tokens(ofOneImage: [1, 2, 3, 4])), of: .tokens(Tokens(ofOneImage: [1])))
        let facts = FakeEngine().facts
        let keys = (0..<5).map { SharedResults.Key(.encode, .picture([UInt8($0)]), by: facts) }
        for key in keys[..<2] { memory[key] = outcome }
        let young = memory[keys[0]]
        #expect(young == outcome)
        for key in keys[2..<4] { memory[key] = outcome }
        let old = memory[keys[0]]
        #expect(old == outcome)
        memory[keys[4]] = outcome
        // The two generations hold two each: what was used last is there, the rest is forgotten.
        let held = [4, 0, 2, 3, 1].filter { memory[keys[$0]] != nil }
        #expect(held.first == 4 && held.count < 5)
        var none = ResultMemory(limitBytes: 0)
        none[keys[0]] = outcome
        let nothing = none[keys[0]]
        #expect(nothing == nil)
    }

    // MARK: Tags

    @Test(arguments: [
        ("/encode", "application/json"), ("/encode", "application/x-npy"), ("/reconstruct", "image/png"), ("/reconstruct", "application/json"),
    ])
    func whoHasTheAnswerIsNotSentItAgain(path: String, type: String) throws {
        let engine = FakeEngine()
        let harness = ServiceHarness(engines: ["default": engine])
        let answer = harness.post(path, "image/png", png, headers: ["Accept": type])
        let tag = try #require(answer.headers["ETag"])
        #expect(tag.hasPrefix("\"") && tag.utf8.count == 34)
        let computed = engine.batchSizes.count
        let again = harness.post(path, "image/png", png, headers: ["Accept": type, "If-None-Match": "\"x\", \(tag)"])
        #expect(again.status == .notModified && again.body.isEmpty && again.headers["ETag"] == tag)
        #expect(again.headers["Revq-Fingerprint"] == "f1" && again.headers["Content-Type"] == nil)
        #expect(engine.batchSizes.count == computed && harness.service.backlog == 0)
        #expect(harness.post(path, "image/png", png, headers: ["Accept": type, "If-None-Match": "*"]).status == .ok)
        // Another form, picture or version is another answer.
        for other in [
            harness.post(path, "image/png", png, headers: ["Accept": "application/x-ndjson"]),
            harness.post(path, "image/png", PNGEncoder.encode(FakeEngine.image(filledWith: 41)), headers: ["Accept": type]),
        ] { #expect(other.headers["ETag"] != tag) }
        harness.registry.serve(FakeEngine(version: 2, fingerprint: "f2"), as: "default")
        #expect(harness.post(path, "image/png", png, headers: ["Accept": type]).headers["ETag"] != tag)
    }

    @Test func listsAndTokensHaveTagsToo() throws {
        let harness = ServiceHarness()
        let list = Array("{\"images\":[\"\(base64(png))\"]}".utf8)
        let tag = try #require(harness.post("/encode", "application/json", list).headers["ETag"])
        #expect(harness.post("/encode", "application/json", list, headers: ["If-None-Match": tag]).status == .notModified)
        #expect(harness.post("/encode", "image/png", png).headers["ETag"] != tag)
        let tokens = harness.post("/encode", "image/png", png).body
        let picture = try #require(harness.post("/decode", "application/json", tokens).headers["ETag"])
        #expect(harness.post("/decode", "application/json", tokens, headers: ["If-None-Match": picture]).status == .notModified)
        let smaller = harness.post("/decode", "application/json", tokens, query: [("quality", "20")])
        #expect(smaller.headers["ETag"] != picture)
    }
}
