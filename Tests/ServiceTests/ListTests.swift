import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import HTTPTransport
@testable import Images
@testable import Service

/// Several pictures, or tokens of several, in one request.
@Suite struct ListTests {
    private let harness = ServiceHarness()
    private let pictures = [40, 50, 60].map { PNGEncoder.encode(FakeEngine.image(filledWith: $0, size: 16)) }
    private let head = #"{"fingerprint":"f1","grid":{"codebook_size":300,"image_size":8,"latent":[1,2,2],"tokens":4},"items":"#

    private func images(_ members: [String]) -> [UInt8] {
        Array("{\"images\":[\(members.map { "\"\($0)\"" }.joined(separator: ","))]}".utf8)
    }

    private var list: [UInt8] { images(pictures.map(base64)) }

    private func member(_ index: Int, _ first: Int) -> String {
        "{\"index\":\(index),\"status\":200,\"tokens\":[\(first),\(first + 1),\(first + 2),\(first + 3)]}"
    }

    @Test func encodesAList() {
        let answer = harness.post("/encode", "application/json", list)
        #expect(answer.status == .ok)
        #expect(answer.headers["Revq-Fingerprint"] == "f1")
        #expect(answer.text == head + "[\(member(0, 40)),\(member(1, 50)),\(member(2, 60))],\"model\":\"default\",\"version\":1}\n")
        #expect(harness.service.backlog == 0)
    }

    @Test func encodesTheFilesOfAForm() {
        let parts = pictures.flatMap {
            Array("--B\r\nContent-Disposition: form-data; name=\"x\"; filename=\"x\"\r\n\r\n".utf8) + $0 + Array("\r\n".utf8)
        }
        let answer = harness.post("/encode", "multipart/form-data; boundary=B", parts + Array("--B--\r\n".utf8))
        #expect(answer.text == harness.post("/encode", "application/json", list).text)
    }

    @Test func oneThatIsBrokenFailsAlone() {
        let answer = harness.post(
            "/encode", "application/json", images([base64(pictures[0]), base64(Array("GIF89a".utf8)), "%%", base64(pictures[2])]))
        #expect(answer.status == .ok)
        #expect(answer.headers["ETag"] == nil)
        #expect(answer.text.hasPrefix(head + "[\(member(0, 40)),{\"index\":1,\"problem\":{\"code\":\"image_format_unsupported\","))
        #expect(answer.text.contains(",\"status\":415},{\"index\":2,\"problem\":{\"code\":\"invalid_field\","))
        #expect(answer.text.contains(",\"status\":422},\(member(3, 60))]"))
        let failing = images([base64(PNGEncoder.encode(FakeEngine.image(filledWith: 13))), base64(pictures[0])])
        #expect(harness.post("/encode", "application/json", failing).text.contains("\"code\":\"engine_failed\""))
        // One array has no place for it.
        let array = harness.post("/encode", "application/json", failing, headers: ["Accept": "application/x-npy"])
        #expect(array.problemCode == "engine_failed")
        #expect(array.text.contains("\"detail\":\"item 0: "))
        #expect(harness.service.backlog == 0)
    }

    @Test(arguments: ["application/json", "application/x-npy", "application/vnd.revq.tokens"])
    func decodesEveryFormThatEncodeAnswers(type: String) throws {
        let tokens = harness.post("/encode", "application/json", list, headers: ["Accept": type])
        #expect(tokens.headers["Content-Type"] == type)
        let fingerprint: HTTPHeaders = ["Revq-Fingerprint": "f1", "Accept": "application/x-npy"]
        let answer = harness.post("/decode", type, tokens.body, headers: fingerprint)
        let expected = [40, 50, 60].flatMap { [UInt8](repeating: $0, count: 192) }
        #expect(try NumPyArray(parsing: answer.body) == NumPyArray(bytes: expected, shape: [3, 8, 8, 3]))
    }

    @Test func decodesAListWithAStatusForEach() {
        let answer = harness.post(
            "/decode", "application/json", Array(#"{"fingerprint":"f1","tokens":[[40,41,42,43],[1],[1,2,3,300]]}"#.utf8))
        #expect(answer.headers["Content-Type"] == "application/json")
        let image = base64(PNGEncoder.encode(FakeEngine.image(filledWith: 40)))
        #expect(answer.text.hasPrefix(head + "[{\"image\":\"\(image)\",\"index\":0,\"status\":200},{\"index\":1,"))
        for code in ["token_count_mismatch", "token_out_of_range"] { #expect(answer.text.contains("\"code\":\"\(code)\"")) }
        let failed = harness.post("/encode", "application/json", images([base64(pictures[0]), "%%"]))
        #expect(harness.post("/decode", "application/json", failed.body).text.contains("items[1] has no tokens"))
        let png = harness.post(
            "/decode", "application/json", Array(#"{"fingerprint":"f1","tokens":[[1,2,3,4]]}"#.utf8), headers: ["Accept": "image/png"])
        #expect(png.problemCode == "not_acceptable")
    }

    @Test func answersOnePictureAsJSON() {
        let answer = harness.post("/reconstruct", "image/png", pictures[0], headers: ["Accept": "application/json"])
        let image = base64(PNGEncoder.encode(FakeEngine.image(filledWith: 40)))
        #expect(answer.text == "{\"fingerprint\":\"f1\",\"image\":\"\(image)\",\"model\":\"default\",\"version\":1}\n")
    }

    @Test func linesComeAsTheirItemsEnd() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)])
        let headers: HTTPHeaders = ["Content-Type": "application/json", "Accept": "application/x-ndjson"]
        let pending = harness.send("POST", "/encode", headers: headers, body: images([base64(pictures[0]), "%%"]))
        let answer = pending.answer
        #expect(answer.headers["Content-Type"] == "application/x-ndjson")
        #expect(answer.headers["X-Request-ID"] != nil)
        // The one that cannot be computed is known while the other is being computed.
        gate.waitForArrival()
        #expect(String(decoding: pending.parts.wait(for: 1)[0], as: UTF8.self).hasPrefix("{\"index\":1,\"problem\":{\"code\":\"invalid_field\""))
        gate.open()
        let parts = pending.parts.wait(for: 3)
        #expect(String(decoding: parts[1], as: UTF8.self) == member(0, 40) + "\n")
        #expect(parts[2].isEmpty)
        #expect(harness.service.backlog == 0)
        // Alone it is a list of one.
        let alone = harness.send("POST", "/encode", headers: ["Accept": "application/x-ndjson"], body: pictures[0])
        #expect(alone.parts.wait(for: 2).map { String(decoding: $0, as: UTF8.self) } == [member(0, 40) + "\n", ""])
    }

    @Test func aListTakesItsPlacesAtOnceOrNone() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], maxQueue: 4)
        let headers: HTTPHeaders = ["Content-Type": "application/json"]
        let single = harness.send("POST", "/encode", headers: [:], body: pictures[0])
        let running = harness.send("POST", "/encode", headers: headers, body: list)
        gate.waitForArrival()
        // Four places are in use once the list has been read.
        while harness.service.backlog < 4 {}
        let refused = harness.post("/encode", "application/json", images([base64(pictures[0])]))
        #expect(refused.problemCode == "overloaded")
        gate.open()
        #expect(single.answer.status == .ok && running.answer.status == .ok)
        #expect(harness.service.backlog == 0)
    }

    @Test func aListThatFindsTooFewPlacesIsRefused() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], maxQueue: 4)
        let others = (0..<2).map { _ in harness.send("POST", "/encode", headers: [:], body: pictures[0]) }
        let refused = harness.post("/encode", "application/json", list)
        #expect(refused.problemCode == "overloaded")
        #expect(refused.headers["Retry-After"] != nil)
        #expect(harness.service.backlog == 2)
        gate.open()
        #expect(others.allSatisfy { $0.answer.status == .ok })
    }

    @Test func aListThatIsTooLongIsRefused() {
        let harness = ServiceHarness(listItems: 2)
        #expect(harness.post("/encode", "application/json", list).problemCode == "list_too_long")
        #expect(harness.post("/encode", "application/json", list).status == .contentTooLarge)
        let tokens = Array(#"{"fingerprint":"f1","tokens":[[1],[2],[3]]}"#.utf8)
        #expect(harness.post("/decode", "application/json", tokens).problemCode == "list_too_long")
        let array = NumPyArray([Int32](repeating: 1, count: 12), shape: [3, 4]).serialized()
        #expect(harness.post("/decode", "application/x-npy", array, headers: ["Revq-Fingerprint": "f1"]).problemCode == "list_too_long")
        #expect(ServiceHarness(maxQueue: 8).get("/info").text.contains("\"list_items\":8"))
        for body in [#"{"images":[]}"#, #"{"images":["x"],"image":"x"}"#, #"{"images":"x"}"#] {
            #expect(harness.post("/encode", "application/json", Array(body.utf8)).problemCode == "invalid_field")
        }
    }

    @Test func aClientThatHasGoneFreesThePlacesOfItsList() {
        let gate = Gate()
        let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], maxBatch: 1)
        let leaving = harness.send("POST", "/encode", headers: ["Content-Type": "application/json"], body: list)
        gate.waitForArrival()
        leaving.responder.cancel(.disconnected)
        #expect(harness.service.backlog == 0)
        gate.open()
        #expect(harness.post("/encode", "image/png", pictures[0]).status == .ok)
        #expect(leaving.answers.posted.isEmpty)
    }
}
