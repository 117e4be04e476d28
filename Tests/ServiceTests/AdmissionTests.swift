import TestSupport
import Testing

@testable import Compute
@testable import HTTPTransport
@testable import Images
@testable import Service

/// Slots: who gets one, and when it is free again.
@Suite struct AdmissionTests {
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40))
    private let headers: HTTPHeaders = ["Content-Type": "image/png"]

    @Test func aFullQueueAnswers429WithRetryAfter() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], maxQueue: 4)
        let pending = (0..<4).map { _ in harness.send("POST", "/encode", headers: headers, body: png) }
        let refused = harness.send("POST", "/encode", headers: headers, body: png).answer
        #expect(refused.status == .tooManyRequests)
        #expect(refused.problemCode == "overloaded")
        #expect(refused.headers["Retry-After"] == "1")
        gate.open()
        #expect(pending.allSatisfy { $0.answer.status == .ok })
        #expect(harness.service.backlog == 0)
        #expect(harness.send("POST", "/encode", headers: headers, body: png).answer.status == .ok)
    }

    @Test(arguments: [HTTPCancellation.disconnected, .deadlinePassed, .serverStopped])
    func aClientThatHasGoneFreesItsSlotAtOnce(reason: HTTPCancellation) {
        let gate = Gate()
        let engine = FakeEngine(gate: gate)
        let harness = ServiceHarness(engines: ["default": engine], maxBatch: 1, maxQueue: 4)
        let running = harness.send("POST", "/encode", headers: headers, body: png)
        gate.waitForArrival()
        let waiting = harness.send("POST", "/encode", headers: headers, body: png)
        #expect(harness.service.backlog == 2)
        waiting.responder.cancel(reason)
        #expect(harness.service.backlog == 1)
        running.responder.cancel(reason)
        #expect(harness.service.backlog == 0)
        gate.open()
        #expect(harness.send("POST", "/encode", headers: headers, body: png).answer.status == .ok)
        #expect(engine.batchSizes == [1, 1])
        #expect(waiting.answers.posted.isEmpty && running.answers.posted.isEmpty)
    }

    @Test func aBodyUnderWayHoldsNoSlotAndMayFindNoneLater() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], maxBatch: 1, maxQueue: 1)
        let answers = Mailbox<HTTPResponse>()
        let responder = HTTPResponder { answers.post($0) }
        let head = HTTPRequestHead(
            method: HTTPMethod(rawValue: "POST"), target: "/encode", path: "/encode", headers: headers, contentLength: png.count)
        guard case .accept(_, _, _, let handle) = harness.service.admit(head, responder, among: Route.table) else {
            Issue.record("the request was refused by its head")
            return
        }
        #expect(harness.service.backlog == 0)
        let quicker = harness.send("POST", "/encode", headers: headers, body: png)
        gate.waitForArrival()
        handle(HTTPRequest(head: head, body: png))
        #expect(answers.wait(for: 1)[0].problemCode == "overloaded")
        gate.open()
        #expect(quicker.answer.status == .ok)
    }

    @Test func requestsUnderWayKeepTheirVersionAcrossASwap() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(version: 1, gate: gate)], maxBatch: 1)
        let running = harness.send("POST", "/encode", headers: headers, body: png)
        gate.waitForArrival()
        harness.registry.serve(FakeEngine(version: 2), as: "default")
        let next = harness.send("POST", "/encode", headers: headers, body: png)
        gate.open()
        #expect(running.answer.headers["Revq-Version"] == "1")
        #expect(next.answer.headers["Revq-Version"] == "2")
    }

    @Test func manyClientsAtOnceGetTheirOwnAnswers() {
        let harness = ServiceHarness(maxQueue: 64)
        let pending = (20..<60).map { byte in
            (byte, harness.send("POST", "/encode", headers: headers, body: PNGEncoder.encode(FakeEngine.image(filledWith: UInt8(byte)))))
        }
        for (byte, request) in pending { #expect(request.answer.text.contains("\"tokens\":[\(byte),\(byte + 1),\(byte + 2),\(byte + 3)]")) }
    }
}
