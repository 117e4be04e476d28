import TestSupport
import Testing

@testable import Files
@testable import HTTPTransport
@testable import Images
@testable import Service

@Suite struct TokenizerServiceTests {
    private let harness = ServiceHarness()
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40, size: 16))
    private let tokensJSON =
        #"{"fingerprint":"f1","grid":{"codebook_size":300,"image_size":8,"latent":[1,2,2],"tokens":4},"model":"default","tokens":[40,41,42,43],"version":1}"#

    private func decode(_ text: String, query: [(String, String)] = []) -> HTTPResponse {
        harness.post("/decode", "application/json", Array(text.utf8), query: query)
    }

    // MARK: Images to tokens

    @Test func encodesAnImage() {
        let answer = harness.post("/encode", "image/png", png)
        #expect(answer.status == .ok)
        #expect(answer.headers["Content-Type"] == "application/json")
        #expect(answer.headers["Revq-Model"] == "default")
        #expect(answer.headers["Revq-Version"] == "1")
        #expect(answer.headers["Revq-Fingerprint"] == "f1")
        #expect(answer.text == tokensJSON + "\n")
        #expect(harness.service.backlog == 0)
    }

    @Test func encodesAnImageInAForm() {
        let head = "--B\r\nContent-Disposition: form-data; name=\"any\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n"
        let answer = harness.post("/encode", "multipart/form-data; boundary=B", Array(head.utf8) + png + Array("\r\n--B--\r\n".utf8))
        #expect(answer.text == tokensJSON + "\n")
    }

    @Test func encodesAnImageInBase64() {
        let answer = harness.post("/encode", "application/json", Array("{\"image\":\"\(base64(png))\"}".utf8))
        #expect(answer.text == tokensJSON + "\n")
    }

    @Test func encodesToANumPyArray() throws {
        let answer = harness.post("/encode", "image/png", png, headers: ["Accept": "application/x-npy"])
        #expect(answer.headers["Content-Type"] == "application/x-npy")
        #expect(answer.headers["Revq-Fingerprint"] == "f1")
        #expect(try NumPyArray(parsing: answer.body) == NumPyArray([40, 41, 42, 43], shape: [4]))
    }

    /// As `curl --data-binary`, browsers and Python's libraries send it: what the bytes are decides.
    @Test(arguments: ["application/octet-stream", "image/jpg", "image/jpeg", "application/x-www-form-urlencoded", "nonsense", nil])
    func takesAPictureWhateverItIsSaidToBe(type: String?) {
        let headers: HTTPHeaders = type.map { ["Content-Type": $0] } ?? [:]
        #expect(harness.send("POST", "/encode", headers: headers, body: png).answer.text == tokensJSON + "\n")
    }

    @Test func takesADataURLAndLineBreaksInBase64() {
        let text = base64(png)
        let broken = stride(from: 0, to: text.count, by: 76).map { String(text.dropFirst($0).prefix(76)) + #"\n"# }.joined()
        for image in ["data:image/png;base64,\(text)", broken, text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")] {
            #expect(harness.post("/encode", "application/json", Array("{\"image\":\"\(image)\"}".utf8)).text == tokensJSON + "\n")
        }
        #expect(harness.post("/encode", "application/json", Array(#"{"image":"data:image/png,x"}"#.utf8)).problemCode == "invalid_field")
    }

    @Test func aBodyMayNameItsModel() {
        let harness = ServiceHarness(engines: ["a": FakeEngine(version: 5), "b": FakeEngine(version: 6)])
        let field = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nb\r\n"
        let file = "--B\r\nContent-Disposition: form-data; name=\"x\"; filename=\"x\"\r\n\r\n"
        let form = Array((field + file).utf8) + png + Array("\r\n--B--\r\n".utf8)
        #expect(harness.post("/encode", "multipart/form-data; boundary=B", form).headers["Revq-Version"] == "6")
        #expect(harness.post("/encode", "multipart/form-data; boundary=B", form, query: [("model", "a")]).problemCode == "invalid_field")
        let document = Array("{\"image\":\"\(base64(png))\",\"model\":\"a\"}".utf8)
        #expect(harness.post("/encode", "application/json", document).headers["Revq-Version"] == "5")
        #expect(harness.post("/encode", "application/json", document.dropLast(3) + Array("c\"}".utf8)).problemCode == "unknown_model")
    }

    @Test(arguments: ["application/json", "application/x-npy", "application/vnd.revq.tokens", "application/octet-stream"])
    func decodesEveryFormThatEncodeAnswers(type: String) throws {
        let answer = harness.post("/encode", "image/png", png, headers: ["Accept": type])
        #expect(answer.headers["Content-Type"] == type)
        let fingerprint: HTTPHeaders = ["Revq-Fingerprint": "f1"]
        #expect(try ImageDecoder.decode(harness.post("/decode", type, answer.body, headers: fingerprint).body) == FakeEngine.image(filledWith: 40))
        let carriesIt = type == "application/json" || type == "application/vnd.revq.tokens"
        #expect(harness.post("/decode", type, answer.body).status == (carriesIt ? .ok : .unprocessableContent))
        #expect(harness.post("/decode", type, answer.body, headers: ["Revq-Fingerprint": "f2"]).status != .ok)
        // Bytes of no particular form need to be said what they are.
        let undeclared = harness.send("POST", "/decode", headers: fingerprint, body: answer.body).answer
        #expect(undeclared.status == (type == "application/octet-stream" ? .unsupportedMediaType : .ok))
    }

    @Test func littleEndianTokensHaveTwoBytesOrFour() {
        let fingerprint: HTTPHeaders = ["Revq-Fingerprint": "f1"]
        #expect(harness.post("/encode", "image/png", png, headers: ["Accept": "application/octet-stream"]).body == [40, 0, 41, 0, 42, 0, 43, 0])
        let wide: [UInt8] = [40, 41, 42, 43].flatMap { [$0, 0, 0, 0] }
        #expect(harness.post("/decode", "application/octet-stream", wide, headers: fingerprint).status == .ok)
        #expect(harness.post("/decode", "application/octet-stream", [1, 0, 2, 0], headers: fingerprint).problemCode == "token_count_mismatch")
        #expect(
            harness.post("/decode", "application/octet-stream", [1, 0, 2, 0, 3, 0, 4, 2], headers: fingerprint).problemCode == "token_out_of_range")
    }

    @Test func theHeadMaySayWhoseTokensAre() {
        let tokens = Array(#"{"tokens":[40,41,42,43]}"#.utf8)
        #expect(harness.post("/decode", "application/json", tokens, headers: ["Revq-Fingerprint": "f1"]).status == .ok)
        #expect(harness.post("/decode", "application/json", tokens).problemCode == "invalid_field")
    }

    @Test func usesTheModelThatIsAskedFor() {
        let harness = ServiceHarness(engines: ["a": FakeEngine(version: 5), "b": FakeEngine(version: 6)])
        #expect(harness.post("/encode", "image/png", png, query: [("model", "b")]).headers["Revq-Version"] == "6")
        #expect(harness.post("/encode", "image/png", png).problemCode == "unknown_model")
        #expect(harness.post("/encode", "image/png", png, query: [("model", "c")]).problemCode == "unknown_model")
    }

    // MARK: Tokens to images

    @Test func decodesWhatEncodeAnswered() throws {
        let answer = decode(harness.post("/encode", "image/png", png).text)
        #expect(answer.status == .ok)
        #expect(answer.headers["Content-Type"] == "image/png")
        #expect(answer.headers["Revq-Fingerprint"] == "f1")
        #expect(try ImageDecoder.decode(answer.body) == FakeEngine.image(filledWith: 40))
    }

    @Test func decodesANumPyArray() throws {
        let array = harness.post("/encode", "image/png", png, headers: ["Accept": "application/x-npy"]).body
        for answer in [
            harness.post("/decode", "application/x-npy", array, headers: ["Revq-Fingerprint": "f1"]),
            harness.post("/decode", "application/x-npy", array, query: [("fingerprint", "f1")]),
        ] {
            #expect(try ImageDecoder.decode(answer.body) == FakeEngine.image(filledWith: 40))
        }
        #expect(harness.post("/decode", "application/x-npy", array).problemCode == "invalid_field")
        let contradiction = harness.post("/decode", "application/x-npy", array, headers: ["Revq-Fingerprint": "f1"], query: [("fingerprint", "f2")])
        #expect(contradiction.problemCode == "malformed_query")
        #expect(harness.post("/decode", "application/x-npy", array, headers: ["Revq-Fingerprint": "f2"]).problemCode == "fingerprint_not_resident")
    }

    @Test func tokensOfAnEarlierVersionAreDecodedByIt() {
        harness.registry.serve(FakeEngine(version: 2, fingerprint: "f2"), as: "default")
        #expect(harness.post("/encode", "image/png", png).headers["Revq-Version"] == "2")
        #expect(decode(tokensJSON).headers["Revq-Version"] == "1")
        harness.registry.serve(FakeEngine(version: 3, fingerprint: "f3"), as: "default")
        let refused = decode(tokensJSON)
        #expect(refused.status == .conflict)
        #expect(refused.problemCode == "fingerprint_not_resident")
    }

    @Test func refusesTokensThatCannotBe() {
        let template = { (tokens: String) in "{\"fingerprint\":\"f1\",\"tokens\":\(tokens)}" }
        #expect(decode(template("[1,2,3,300]")).problemCode == "token_out_of_range")
        #expect(decode(template("[1,2,3,300]")).text.contains("tokens[3] is 300; the model's tokens are 0 … 299"))
        #expect(decode(template("[1,2,-3,4]")).problemCode == "token_out_of_range")
        #expect(decode(template("[1,2,3]")).problemCode == "token_count_mismatch")
        #expect(decode(template("[]")).problemCode == "token_count_mismatch")
        #expect(decode(template("[1,2,3,4.5]")).problemCode == "invalid_field")
        #expect(decode(template("[1,2,3,4e9999]")).problemCode == "invalid_field")
        #expect(decode(template("[1,2,3,99999999999999999999]")).problemCode == "invalid_field")
        #expect(decode(template("\"1234\"")).problemCode == "invalid_field")
        #expect(decode("{\"tokens\":[1,2,3,4]}").problemCode == "invalid_field")
        #expect(decode("{\"tokens\":[1,2,3,4").problemCode == "malformed_body")
        #expect(decode(template("[1,2,3,4]"), query: [("model", "other")]).problemCode == "unknown_model")
        #expect(harness.post("/decode", "application/x-npy", [1, 2, 3], query: [("fingerprint", "f1")]).problemCode == "malformed_body")
        #expect(harness.service.backlog == 0)
    }

    @Test func reconstructs() throws {
        let answer = harness.post("/reconstruct", "image/png", png)
        #expect(answer.headers["Content-Type"] == "image/png")
        // The engine paints it in the colour that it has; it is too small for the window of the similarity.
        #expect(answer.headers["Revq-PSNR"] == "inf")
        #expect(answer.headers["Revq-SSIM"] == nil)
        #expect(try ImageDecoder.decode(answer.body) == FakeEngine.image(filledWith: 40))
    }

    @Test func tellsHowFarAReconstructionIsFromItsPicture() {
        let harness = ServiceHarness(engines: ["default": FakeEngine(imageSize: 16)])
        var pixels = [UInt8](repeating: 40, count: 16 * 16 * 3)
        for i in stride(from: 3, to: pixels.count, by: 5) { pixels[i] = 80 }
        let answer = harness.post("/reconstruct", "image/png", PNGEncoder.encode(RGBImage(width: 16, height: 16, pixels: pixels)))
        let reference = RGBImage(width: 16, height: 16, pixels: pixels)
        let drawn = FakeEngine.image(filledWith: 40, size: 16)
        #expect(abs(Double(answer.headers["Revq-PSNR"] ?? "")! - PeakSignalToNoise.decibels(drawn, reference)) <= 0.0005)
        #expect(abs(Double(answer.headers["Revq-SSIM"] ?? "")! - StructuralSimilarity.mean(drawn, reference)!) <= 0.00005)
    }

    @Test func drawsAsJPEGAndAsAnArray() throws {
        let array = harness.post("/reconstruct", "image/png", png, headers: ["Accept": "application/x-npy"])
        #expect(try NumPyArray(parsing: array.body) == NumPyArray(bytes: [UInt8](repeating: 40, count: 192), shape: [8, 8, 3]))
        let jpeg = harness.post("/decode", "application/json", Array(tokensJSON.utf8), headers: ["Accept": "image/jpeg"])
        #expect(jpeg.headers["Content-Type"] == "image/jpeg")
        #expect(try ImageDecoder.decode(jpeg.body) == FakeEngine.image(filledWith: 40))
        for quality in ["0", "101", "x"] {
            #expect(decode(tokensJSON, query: [("quality", quality)]).problemCode == "malformed_query")
        }
        #expect(decode(tokensJSON, query: [("quality", "1")]).status == .ok)
    }

    // MARK: What is refused

    @Test func refusesBadImages() {
        #expect(harness.post("/encode", "image/png", Array(png.dropLast(20))).problemCode == "image_truncated")
        #expect(harness.post("/encode", "image/png", Array("GIF89a".utf8)).problemCode == "image_format_unsupported")
        #expect(harness.post("/encode", "application/json", Array("{\"image\":\"\"}".utf8)).problemCode == "image_empty")
        #expect(harness.post("/encode", "application/json", Array("{\"image\":\"%%%%\"}".utf8)).problemCode == "invalid_field")
        #expect(harness.post("/encode", "application/json", Array("{}".utf8)).problemCode == "invalid_field")
        #expect(harness.post("/encode", "multipart/form-data; boundary=B", Array("--B--\r\n".utf8)).problemCode == "invalid_field")
        #expect(harness.post("/encode", "multipart/form-data", png).problemCode == "malformed_body")
        #expect(harness.service.backlog == 0)
    }

    @Test func refusesAHugeImageByItsHeader() {
        let frame: [UInt8] = [0xFF, 0xC0, 0, 17, 8, 0xEA, 0x60, 0xEA, 0x60, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
        let scan: [UInt8] = [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0x3F, 0]
        let answer = harness.post("/encode", "image/jpeg", [0xFF, 0xD8] + frame + scan + [0, 0xFF, 0xD9])
        #expect(answer.problemCode == "image_too_large")
        #expect(answer.text.contains("60000×60000"))
    }

    @Test func refusesAnImageThatExceedsTheMemoryOfAll() {
        let harness = ServiceHarness(memoryBytes: 100)
        #expect(harness.post("/encode", "image/png", png).problemCode == "image_too_large")
    }

    @Test func anEngineThatFailsIsReported() {
        let answer = harness.post("/encode", "image/png", PNGEncoder.encode(FakeEngine.image(filledWith: 13)))
        #expect(answer.status == .internalServerError)
        #expect(answer.problemCode == "engine_failed")
        #expect(harness.post("/encode", "image/png", png).status == .ok)
    }

    @Test(arguments: [
        ("GET", "/encode", 405, "method_not_allowed"), ("POST", "/models", 405, "method_not_allowed"),
        ("OPTIONS", "/decode", 405, "method_not_allowed"),
        ("GET", "/pages/", 404, "not_found"), ("POST", "/", 405, "method_not_allowed"), ("POST", "/encode/", 404, "not_found"),
        ("POST", "/Encode", 404, "not_found"),
        ("POST", "/encode", 400, "empty_body"), ("POST", "/decode", 400, "empty_body"),
    ])
    func refusesWhatIsNotInTheTable(method: String, path: String, status: Int, code: String) {
        let answer = harness.send(method, path).answer
        #expect(answer.status == HTTPStatus(status))
        #expect(answer.problemCode == code)
    }

    @Test func namesTheMethodsThatExist() {
        #expect(harness.send("PUT", "/encode").answer.headers["Allow"] == "POST")
        #expect(harness.send("PUT", "/livez").answer.headers["Allow"] == "GET, HEAD")
    }

    @Test func namesTheTypesThatWouldDo() {
        #expect(harness.post("/encode", "text/plain", Array("hello".utf8)).headers["Accept"] == "image/jpeg, image/png")
        let formats = "application/json, application/x-npy, application/vnd.revq.tokens, application/octet-stream"
        #expect(harness.post("/decode", "image/png", png).headers["Accept"] == formats)
        #expect(harness.post("/encode", "image/png", png, headers: ["Content-Encoding": "gzip"]).headers["Accept-Encoding"] == "identity")
    }

    @Test func checksTheHeadBeforeTheBody() {
        #expect(harness.post("/decode", "image/png", png).problemCode == "unsupported_media_type")
        #expect(harness.post("/encode", "image/png", png, headers: ["Content-Encoding": "gzip"]).problemCode == "unsupported_media_type")
        #expect(harness.post("/encode", "image/png", png, headers: ["Content-Encoding": "identity"]).status == .ok)
        #expect(harness.post("/encode", "image/png", png, headers: ["Accept": "text/html"]).problemCode == "not_acceptable")
        #expect(
            harness.post("/decode", "application/json", Array(tokensJSON.utf8), headers: ["Accept": "application/octet-stream"]).problemCode
                == "not_acceptable")
        #expect(harness.post("/encode", "image/png", png, query: [("sise", "9")]).problemCode == "malformed_query")
        #expect(harness.post("/encode", "image/png", png, query: [("model", "default"), ("model", "default")]).problemCode == "malformed_query")
        #expect(harness.post("/decode", "application/json", [UInt8](repeating: 0x20, count: (1 << 20) + 1)).problemCode == "body_too_large")
        #expect(harness.service.backlog == 0)
    }

    @Test func turnsRefusalsOfTheTransportIntoProblems() {
        for (status, code) in [
            (HTTPStatus.badRequest, "bad_request"), (.requestHeaderFieldsTooLarge, "bad_request"), (.requestTimeout, "request_timeout"),
            (.contentTooLarge, "body_too_large"), (.internalServerError, "internal_error"), (.serviceUnavailable, "no_room"),
            (.gatewayTimeout, "deadline_exceeded"),
        ] {
            let answer = harness.service.response(to: HTTPError(status, "why"))
            #expect(answer.status == status)
            #expect(answer.problemCode == code)
            #expect(answer.text.contains("\"detail\":\"why\""))
        }
    }

    // MARK: Status

    @Test func listsModels() {
        harness.registry.serve(FakeEngine(version: 2, fingerprint: "f2"), as: "default")
        let grid = #"{"codebook_size":300,"image_size":8,"latent":[1,2,2],"tokens":4}"#
        #expect(
            harness.get("/models").text == """
                {"models":[{"default":true,"model":"default","versions":[\
                {"autoencoder":"Fake","fingerprint":"f2","grid":\(grid),"labels":["stable"],"precision":"fp32","stages":1,"version":2},\
                {"autoencoder":"Fake","fingerprint":"f1","grid":\(grid),"labels":[],"precision":"fp32","stages":1,"version":1}]}]}

                """)
        #expect(harness.send("HEAD", "/models").answer.status == .ok)
    }

    @Test func tellsWhatItDoes() {
        let text = harness.get("/info").text
        for part in [
            #""formats":{"images":["image/jpeg","image/png"],"lists":["application/json","application/x-ndjson","application/x-npy","#,
            #""pictures":["image/png","image/jpeg","application/x-npy"],"#,
            #""limits":{"image_body_bytes":33554432,"image_pixels":64000000,"#, #""crop":"centre square""#, #""fingerprint":"f1""#,
        ] { #expect(text.contains(part), "\(part) in \(text)") }
    }

    @Test func isReadyWhenAModelIsLoaded() {
        let harness = ServiceHarness(engines: [:])
        #expect(harness.get("/livez").status == .ok)
        #expect(harness.get("/readyz").problemCode == "not_ready")
        #expect(harness.get("/readyz").headers["Retry-After"] == "1")
        #expect(harness.post("/encode", "image/png", png).problemCode == "not_ready")
        #expect(decode(tokensJSON).status == .ok)
        harness.registry.serve(FakeEngine(), as: "default")
        #expect(harness.get("/readyz").text == "{\"status\":\"ready\"}\n")
    }

    @Test func aDrainingServiceIsNotReadyAndStillServes() {
        harness.service.drain()
        #expect(harness.get("/readyz").problemCode == "shutting_down")
        #expect(harness.post("/encode", "image/png", png).status == .ok)
        #expect(harness.get("/livez").status == .ok)
    }
}

/// Base64 as RFC 4648 defines it.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    return stride(from: 0, to: bytes.count, by: 3).map { start in
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        let characters = (0..<4).map { $0 <= group.count ? alphabet[bits >> (18 - 6 * $0) & 63] : "=" }
        return String(characters)
    }.joined()
}
