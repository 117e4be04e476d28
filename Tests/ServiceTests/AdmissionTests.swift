import HTTPTransport
import Testing
import TokenizerCore

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

    @Test func aBodyThatNeverComesFreesItsSlot() {
        let harness = ServiceHarness()
        let responder = HTTPResponder { _ in }
        let head = HTTPRequestHead(method: HTTPMethod(rawValue: "POST"), target: "/encode", path: "/encode", headers: headers, contentLength: nil)
        do {
            guard case .accept = harness.service.admit(head, responder) else {
                Issue.record("the request was refused")
                return
            }
        }
        // The transport has dropped the admission: nothing holds the request any more.
        #expect(harness.service.backlog == 0)
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
