import TestSupport
import Testing

@testable import Compute
@testable import HTTPTransport
@testable import Images
@testable import Service

/// The Open Inference Protocol, version 2, by its bytes.
@Suite struct InferenceTests {
    private let harness = ServiceHarness()
    private let pictures = [40, 50].map { PNGEncoder.encode(FakeEngine.image(filledWith: $0, size: 16)) }
    private let encode = "/v2/models/default.encode/infer"
    private let decode = "/v2/models/default.decode/infer"

    private func post(_ path: String, _ json: String, _ binary: [UInt8] = []) -> HTTPResponse {
        let headers: HTTPHeaders = ["Inference-Header-Content-Length": "\(json.utf8.count)"]
        return harness.post(path, "application/octet-stream", Array(json.utf8) + binary, headers: binary.isEmpty ? [:] : headers)
    }

    private func element(_ bytes: [UInt8]) -> [UInt8] { (0..<4).map { UInt8(bytes.count >> (8 * $0) & 255) } + bytes }

    @Test func saysWhatThereIs() {
        #expect(harness.get("/v2").text == "{\"extensions\":[\"binary_tensor_data\"],\"name\":\"revq\",\"version\":\"1\"}\n")
        #expect(harness.get("/v2/health/live").text == "{\"live\":true}\n")
        #expect(harness.get("/v2/health/ready").text == "{\"ready\":true}\n")
        harness.registry.serve(FakeEngine(version: 2, fingerprint: "f2"), as: "default")
        let inputs = #"[{"datatype":"BYTES","name":"image","shape":[-1]},{"datatype":"UINT8","name":"pixels","shape":[-1,8,8,3]}]"#
        let tokens = #"[{"datatype":"INT64","name":"tokens","shape":[-1,4]}]"#
        let described = { (name: String, inputs: String, outputs: String) in
            "{\"inputs\":\(inputs),\"name\":\"\(name)\",\"outputs\":\(outputs),\"platform\":\"revq\",\"versions\":[\"2\",\"1\"]}\n"
        }
        #expect(harness.get("/v2/models/default.encode").text == described("default.encode", inputs, tokens))
        #expect(harness.get("/v2/models/default.decode/versions/1").text == described("default.decode", tokens, inputs))
        #expect(harness.get("/v2/models/default.decode/ready").text == "{\"name\":\"default.decode\",\"ready\":true}\n")
        #expect(harness.get("/v2/models/default.encode/versions/2/ready").status == .ok)
        for path in ["default", "other.encode", ".encode", "default.reconstruct", "default.encode/versions/3", "default.encode/versions/x/ready"] {
            let answer = harness.get("/v2/models/\(path)")
            #expect(answer.problemCode == "unknown_model", "\(path)")
            #expect(answer.text.contains("\"error\":\""))
        }
        for path in ["/v2/", "/v2/models", "/v2/models/", "/v2/models/default.encode/", "/v2/models/default.encode/versions/1/2/infer"] {
            #expect(["not_found", "unknown_model"].contains(harness.get(path).problemCode), "\(path)")
        }
        #expect(harness.get("/v2/models/default.encode/infer").problemCode == "method_not_allowed")
    }

    @Test func encodesAndDecodesInJSON() {
        let images = pictures.map { "\"\(base64($0))\"" }.joined(separator: ",")
        let answer = post(encode, "{\"id\":\"a\",\"inputs\":[{\"name\":\"image\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\(images)]}]}")
        #expect(answer.headers["Content-Type"] == "application/json")
        #expect(answer.headers["Inference-Header-Content-Length"] == nil)
        let head = { (model: String) in "{\"id\":\"a\",\"model_name\":\"\(model)\",\"model_version\":\"1\",\"outputs\":" }
        let tail = ",\"parameters\":{\"fingerprint\":\"f1\"}}\n"
        #expect(
            answer.text == head("default.encode")
                + #"[{"data":[40,41,42,43,50,51,52,53],"datatype":"INT64","name":"tokens","shape":[2,4]}]"# + tail)
        let decoded = post(
            "/v2/models/default.decode/infer",
            #"{"id":"a","parameters":{"fingerprint":"f1"},"inputs":[{"name":"tokens","shape":[1,4],"datatype":"INT32","data":[[40,41,42,43]]}],"outputs":[{"name":"image"}]}"#
        )
        let png = base64(PNGEncoder.encode(FakeEngine.image(filledWith: 40)))
        #expect(decoded.text == head("default.decode") + "[{\"data\":[\"\(png)\"],\"datatype\":\"BYTES\",\"name\":\"image\",\"shape\":[1]}]" + tail)
    }

    @Test func encodesAndDecodesInBinary() {
        let bytes = pictures.flatMap(element)
        let input = "{\"name\":\"image\",\"shape\":[2,1],\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":\(bytes.count)}}"
        let answer = post(encode, "{\"inputs\":[\(input)],\"outputs\":[{\"name\":\"tokens\",\"parameters\":{\"binary_data\":true}}]}", bytes)
        #expect(answer.headers["Content-Type"] == "application/octet-stream")
        let headerBytes = answer.headers["Inference-Header-Content-Length"].flatMap { Int($0) } ?? 0
        #expect(String(decoding: answer.body.prefix(headerBytes), as: UTF8.self).contains("\"parameters\":{\"binary_data_size\":64}"))
        let tokens = Array(answer.body.dropFirst(headerBytes))
        #expect(tokens == [40, 41, 42, 43, 50, 51, 52, 53].flatMap { [$0, 0, 0, 0, 0, 0, 0, 0] })
        let named = #"{"name":"tokens","shape":[2,4],"datatype":"INT64","parameters":{"binary_data_size":64}}"#
        // By a version in the path; both outputs, image first.
        let decoded = post(
            "/v2/models/default.decode/versions/1/infer", "{\"parameters\":{\"binary_data_output\":true},\"inputs\":[\(named)]}", tokens)
        let end = decoded.headers["Inference-Header-Content-Length"].flatMap { Int($0) } ?? 0
        let squares = [40, 50].map { FakeEngine.image(filledWith: $0) }
        #expect(Array(decoded.body.dropFirst(end)) == squares.flatMap { element(PNGEncoder.encode($0)) } + squares.flatMap(\.pixels))
    }

    @Test(arguments: ["UINT8", "FP32"])
    func encodesPixels(type: String) {
        let pixels = [40, 50].flatMap { [UInt8](repeating: $0, count: 192) }
        let bytes =
            type == "UINT8" ? pixels : pixels.flatMap { value in (0..<4).map { UInt8((Float(value) / 255).bitPattern >> (8 * UInt32($0)) & 255) } }
        let input = "{\"name\":\"pixels\",\"shape\":[2,8,8,3],\"datatype\":\"\(type)\",\"parameters\":{\"binary_data_size\":\(bytes.count)}}"
        #expect(post(encode, "{\"inputs\":[\(input)]}", bytes).text.contains("\"data\":[40,41,42,43,50,51,52,53]"))
    }

    @Test func takesIntegersOfEveryType() {
        for (type, size) in [("UINT8", 1), ("INT8", 1), ("UINT16", 2), ("INT16", 2), ("UINT32", 4), ("INT32", 4), ("UINT64", 8), ("INT64", 8)] {
            let bytes = [40, 41, 42, 43].flatMap { [UInt8($0)] + [UInt8](repeating: 0, count: size - 1) }
            let input = "{\"name\":\"tokens\",\"shape\":[4],\"datatype\":\"\(type)\",\"parameters\":{\"binary_data_size\":\(bytes.count)}}"
            #expect(post("/v2/models/default.decode/versions/1/infer", "{\"inputs\":[\(input)]}", bytes).status == .ok, "\(type)")
        }
    }

    /// Tokens of another version must not become a wrong picture.
    @Test func tokensHaveToSayWhoseTheyAre() {
        let body = { (parameters: String) in
            "{\(parameters)\"inputs\":[{\"name\":\"tokens\",\"shape\":[1,4],\"datatype\":\"INT64\",\"data\":[40,41,42,43]}]}"
        }
        #expect(post(decode, body("")).problemCode == "invalid_field")
        #expect(post(decode, body("")).text.contains("fingerprint"))
        #expect(post(decode, body("\"parameters\":{\"fingerprint\":\"f2\"},")).problemCode == "fingerprint_not_resident")
        harness.registry.serve(FakeEngine(version: 2, fingerprint: "f2"), as: "default")
        #expect(post(decode, body("\"parameters\":{\"fingerprint\":\"f1\"},")).headers["Revq-Version"] == "1")
        #expect(post("/v2/models/default.decode/versions/2/infer", body("")).headers["Revq-Version"] == "2")
        #expect(post("/v2/models/default.decode/versions/2/infer", body("\"parameters\":{\"fingerprint\":\"f1\"},")).problemCode == "invalid_field")
    }

    @Test(arguments: [
        (#"{"inputs":[{"name":"picture","shape":[1],"datatype":"BYTES","data":["x"]}]}"#, "invalid_field", "expected image or pixels"),
        (#"{"inputs":[]}"#, "invalid_field", "the inputs are none"),
        (#"{}"#, "invalid_field", "\\\"inputs\\\" is missing"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"FP16","data":["x"]}]}"#, "invalid_field", "expected one of BYTES"),
        (#"{"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","data":["x"]}]}"#, "invalid_field", "its shape [2] says 2"),
        (#"{"inputs":[{"name":"image","shape":[1,2],"datatype":"BYTES","data":["x","y"]}]}"#, "invalid_field", "expected [-1]"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"INT64","data":[1]}]}"#, "invalid_field", "expected BYTES"),
        (#"{"inputs":[{"name":"image","shape":[0],"datatype":"BYTES","data":[]}]}"#, "invalid_field", "has no images"),
        (#"{"inputs":[{"name":"image","shape":[-1],"datatype":"BYTES","data":[]}]}"#, "invalid_field", "the shape of image is [-1]"),
        (#"{"inputs":[{"name":"image","shape":[9,4611686018427387904],"datatype":"BYTES","data":[]}]}"#, "invalid_field", "the shape of image is"),
        (#"{"inputs":[{"name":"pixels","shape":[1,1,1,3],"datatype":"UINT8","data":[1,2,3]}]}"#, "invalid_field", "expected [-1, 8, 8, 3]"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["R0lGODlh"]}]}"#, "image_format_unsupported", "47 49 46 38"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["%"]}]}"#, "invalid_field", "base64"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["x",1]}]}"#, "invalid_field", "both numbers and strings"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES"}]}"#, "invalid_field", "has no data"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":9}}]}"#, "malformed_body", "0 are left"),
        (#"{"inputs":[{"name":"image","shape":[9],"datatype":"BYTES","data":["","","","","","","","",""]}]}"#, "list_too_long", "at most 8"),
        (#"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":[[[[[[[[["x"]]]]]]]]]}]}"#, "invalid_field", "dimensions"),
        (
            #"{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["eA=="]}],"outputs":[{"name":"pixels"}]}"#, "invalid_field",
            "there are tokens"
        ),
        (#"{"inputs":"#, "malformed_body", "not valid JSON"),
    ])
    func refusesWhatCannotBe(body: String, code: String, part: String) {
        let answer = post(encode, body)
        #expect(answer.problemCode == code)
        #expect(answer.text.contains(part), "\(answer.text)")
        #expect(answer.text.contains("\"error\":\""))
        #expect(harness.service.backlog == 0)
    }

    /// In time that grows with their number: copied for each, so many would take minutes.
    @Test func readsManyFractions() throws {
        let numbers = Array(repeating: "0.5", count: 400_000).joined(separator: ",")
        let body = "{\"inputs\":[{\"name\":\"pixels\",\"shape\":[400001],\"datatype\":\"FP32\",\"data\":[1,\(numbers)]}]}"
        let request = try InferenceRequest(Array(body.utf8), headerBytes: nil)
        #expect(request.inputs[0].content == .floats([1] + [Float](repeating: 0.5, count: 400_000)))
    }

    @Test func refusesEndlessParameters() {
        let fields = (0..<65).map { "\"p\($0)\":1" }.joined(separator: ",")
        #expect(post(encode, "{\"parameters\":{\(fields)},\"inputs\":[]}").text.contains("parameters has more than 64 fields"))
    }

    @Test func refusesHeadersThatCannotBe() {
        for (length, code) in [("x", "malformed_header"), ("-1", "malformed_header"), ("99", "malformed_body")] {
            #expect(
                harness.post(encode, "application/octet-stream", Array("{}".utf8), headers: ["Inference-Header-Content-Length": length]).problemCode
                    == code)
        }
        let input = #"{"name":"tokens","shape":[1,4],"datatype":"INT64","parameters":{"binary_data_size":8}}"#
        #expect(post(decode, "{\"inputs\":[\(input)]}", [0, 0, 0, 0, 0, 0, 0, 0]).text.contains("takes 32"))
        #expect(post(decode, "{\"inputs\":[]}", [0]).text.contains("1 bytes follow"))
        let cut = #"{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}"#
        #expect(post(encode, "{\"inputs\":[\(cut)]}", [9, 0, 0, 0, 1, 2]).text.contains("is to have 9 bytes"))
        #expect(post(encode, "{\"inputs\":[\(cut)]}", [1, 0, 0, 0, 1, 2]).text.contains("and more"))
    }

    @Test func oneThatIsBrokenIsNamed() {
        let files = [base64(pictures[0]), base64(Array("GIF89a".utf8))].map { "\"\($0)\"" }.joined(separator: ",")
        let answer = post(encode, "{\"inputs\":[{\"name\":\"image\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\(files)]}]}")
        #expect(answer.problemCode == "image_format_unsupported")
        #expect(answer.text.contains("\"error\":\"item 1: "))
    }
}
