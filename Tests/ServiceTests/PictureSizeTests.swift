import Logging
import TestSupport
import Testing

@testable import Files
@testable import HTTPTransport
@testable import Images
@testable import Service

/// Pictures of other sizes than the model's own: 8 pixels, 4 tokens; others have sides of multiples of 4, and a token for every 16 pixels.
@Suite struct PictureSizeTests {
    private let engine = FakeEngine(sizeStep: 4)
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40, size: 16))

    private func harness(_ engine: FakeEngine? = nil, maxQueue: Int = 8, sizePixels: Int = 1 << 20, keys: KeyRing? = nil) -> ServiceHarness {
        ServiceHarness(engines: ["default": engine ?? self.engine], maxQueue: maxQueue, sizePixels: sizePixels, keys: keys)
    }

    private func encode(_ size: String, to harness: ServiceHarness, headers: HTTPHeaders = [:]) -> HTTPResponse {
        harness.post("/encode", "image/png", png, headers: headers, query: [("size", size)])
    }

    private func image(_ height: Int, _ width: Int) throws -> RGBImage {
        FakeEngine.image(filledWith: 40, try #require(PictureSize(height: height, width: width)))
    }

    // MARK: There and back

    @Test func aSquareOfAnotherSizeGoesThereAndBack() throws {
        let harness = harness()
        let tokens = encode("16", to: harness)
        #expect(tokens.status == .ok && tokens.headers["Revq-Size"] == "16" && tokens.headers["Revq-Fingerprint"] == "f1")
        #expect(tokens.text.contains(#""grid":{"codebook_size":300,"image_size":16,"latent":[1,4,4],"tokens":16}"#))
        let drawn = harness.post("/decode", "application/json", tokens.body)
        #expect(drawn.headers["Revq-Size"] == "16")
        #expect(try ImageDecoder.decode(drawn.body) == image(16, 16))
        #expect(harness.post("/reconstruct", "image/png", png, query: [("size", "16")]).body == drawn.body)
        #expect(harness.service.backlog == 0)
    }

    @Test func whatIsNoSquareIsSaidByHeightAndWidth() throws {
        let harness = harness()
        let tokens = encode("4x12", to: harness)
        #expect(tokens.headers["Revq-Size"] == "4x12")
        #expect(tokens.text.contains(#""grid":{"codebook_size":300,"height":4,"image_size":4,"latent":[1,1,3],"tokens":3,"width":12}"#))
        #expect(try ImageDecoder.decode(harness.post("/decode", "application/json", tokens.body).body) == image(4, 12))
        // As many tokens make other pictures, too: what they are of decides.
        #expect(try ImageDecoder.decode(harness.post("/decode", "application/json", encode("4x16", to: harness).body).body) == image(4, 16))
        #expect(try ImageDecoder.decode(harness.post("/decode", "application/json", encode("8", to: harness).body).body) == image(8, 8))
    }

    @Test(arguments: ["application/x-npy", "application/vnd.revq.tokens", "application/octet-stream"])
    func whatDoesNotSayItsSizeIsToldIt(type: String) throws {
        let harness = harness()
        let tokens = encode("8x16", to: harness, headers: ["Accept": type])
        let headers: HTTPHeaders = ["Revq-Fingerprint": "f1", "Revq-Size": try #require(tokens.headers["Revq-Size"])]
        #expect(try ImageDecoder.decode(harness.post("/decode", type, tokens.body, headers: headers).body) == image(8, 16))
        let asked = harness.post("/decode", type, tokens.body, headers: ["Revq-Fingerprint": "f1"], query: [("size", "16x8")])
        #expect(try ImageDecoder.decode(asked.body) == image(16, 8))
        // Eight tokens of two bytes may be four of four, but not of this model.
        let untold = harness.post("/decode", type, tokens.body, headers: ["Revq-Fingerprint": "f1"])
        #expect(untold.problemCode == (type == "application/octet-stream" ? "token_out_of_range" : "token_count_mismatch"))
        let other = harness.post("/decode", type, tokens.body, headers: ["Revq-Fingerprint": "f1"], query: [("size", "16")])
        #expect(other.status == .unprocessableContent && other.problemCode == "token_count_mismatch")
    }

    @Test func listsAreOfOneSize() throws {
        let harness = harness()
        let file = "\"\(base64(png))\""
        let tokens = harness.post("/encode", "application/json", Array("{\"images\":[\(file),\(file)]}".utf8), query: [("size", "8x12")])
        #expect(tokens.text.contains(#""height":8,"image_size":8,"latent":[1,2,3],"tokens":6,"width":12},"items":[{"#))
        let array = harness.post("/decode", "application/json", tokens.body, headers: ["Accept": "application/x-npy"])
        #expect(try NumPyArray(parsing: array.body) == NumPyArray(bytes: [UInt8](repeating: 40, count: 576), shape: [2, 8, 12, 3]))
    }

    @Test func withoutASizeNothingChanges() {
        let (plain, sized) = (ServiceHarness(), harness())
        for (path, headers) in [("/encode", [:]), ("/reconstruct", [:]), ("/encode", ["Accept": "application/x-npy"])] as [(String, HTTPHeaders)] {
            let answer = plain.post(path, "image/png", png, headers: headers)
            for query in [[], [("size", "8")], [("size", "8x8")]] as [[(String, String)]] {
                let other = sized.post(path, "image/png", png, headers: headers, query: query)
                #expect(other.body == answer.body && other.headers["ETag"] == answer.headers["ETag"] && other.headers["Revq-Size"] == nil)
            }
        }
        #expect(encode("16", to: sized).headers["ETag"] != encode("8", to: sized).headers["ETag"])
    }

    @Test func theOpenInferenceProtocolHasThemToo() throws {
        let (harness, encoder, decoder) = (harness(), "/v2/models/default.encode/infer", "/v2/models/default.decode/infer")
        func post(_ path: String, _ name: String, _ type: String, _ shape: [Int], _ data: String, _ parameters: String) -> HTTPResponse {
            let input = "{\"name\":\"\(name)\",\"shape\":\(shape),\"datatype\":\"\(type)\",\"data\":[\(data)]}"
            return harness.post(path, "application/json", Array("{\"inputs\":[\(input)],\"parameters\":{\(parameters)}}".utf8))
        }
        let tokens = post(encoder, "image", "BYTES", [1], "\"\(base64(png))\"", #""size":"4x8""#)
        #expect(tokens.text.contains(#""data":[40,41],"datatype":"INT64","name":"tokens","shape":[1,2]"#), "\(tokens.text)")
        #expect(tokens.text.contains(#""parameters":{"fingerprint":"f1","size":"4x8"}"#))
        let pixels = [String](repeating: "40", count: 96).joined(separator: ",")
        #expect(post(encoder, "pixels", "UINT8", [1, 4, 8, 3], pixels, "").body == tokens.body)
        #expect(post(encoder, "pixels", "UINT8", [1, 4, 8, 3], pixels, #""size":8"#).problemCode == "invalid_field")
        let drawn = post(decoder, "tokens", "INT64", [1, 2], "40,41", #""fingerprint":"f1","size":"4x8""#)
        #expect(drawn.text.contains(#""name":"pixels","shape":[1,4,8,3]"#))
        #expect(post(decoder, "tokens", "INT64", [1, 2], "40,41", #""fingerprint":"f1""#).problemCode == "token_count_mismatch")
        #expect(post(decoder, "tokens", "INT64", [1, 2], "40,41", #""fingerprint":"f1","size":"x""#).problemCode == "invalid_field")
        #expect(post(encoder, "image", "BYTES", [1], "\"\(base64(png))\"", #""size":6"#).problemCode == "size_not_served")
    }

    // MARK: What is refused

    @Test(arguments: [
        "", "0", "-4", "+4", " 4", "4 ", "4.0", "1e2", "0x10", "4x", "x4", "x", "4x4x4", "4X4", "4×4", "4,4", "٤", "NaN", "16385", "4x16385",
        "99999999999999999999999999999999999", "4x99999999999999999999999999999999999",
    ])
    func whatIsNoSizeIsNoQuery(size: String) {
        let harness = harness()
        #expect(encode(size, to: harness).problemCode == "malformed_query")
        let tokens = Array(#"{"fingerprint":"f1","tokens":[1,2,3,4]}"#.utf8)
        #expect(harness.post("/decode", "application/json", tokens, query: [("size", size)]).problemCode == "malformed_query")
        #expect(harness.post("/decode", "application/json", tokens, headers: ["Revq-Size": size]).problemCode == "malformed_header")
    }

    @Test func eachSizeThatThereIsNotIsRefusedWithItsReason() {
        func detail(_ answer: HTTPResponse) -> String {
            #expect(answer.status == .unprocessableContent && answer.problemCode == "size_not_served")
            return String(answer.text.firstRange(of: "\"detail\":\"").map { answer.text[$0.upperBound...].prefix { $0 != "\"" } } ?? "")
        }
        let own = "the model has pictures of 8x8 pixels only: its codes, statistics or rectifier belong to that size"
        #expect(detail(encode("16", to: ServiceHarness())) == own)
        #expect(detail(encode("16", to: harness(sizePixels: 0))) == "this server has pictures of 8x8 pixels only")
        #expect(detail(encode("4x6", to: harness())) == "the size is 4x6 pixels; the sides of the model's pictures are multiples of 4")
        #expect(detail(encode("16", to: harness(sizePixels: 255))) == "the size is 16x16 pixels, which is 256; at most 255 are possible here")
        // A picture takes no more places than a queue has: 8 pictures of 64 pixels.
        #expect(detail(encode("24", to: harness())) == "the size is 24x24 pixels, which is 576; at most 512 are possible here")
        #expect(detail(encode("16384", to: harness())) == "the size is 16384x16384 pixels, which is 268435456; at most 512 are possible here")
        // Nobody has more tokens than a body may bring.
        let many = FakeEngine(tokens: 60_000, sizeStep: 4)
        #expect(detail(encode("8x12", to: harness(many))) == "the size is 8x12 pixels, which is 96; at most 64 are possible here")
        // In a body, too, and where only the body names the model.
        let tokens = #"{"fingerprint":"f1","grid":{"image_size":1024},"tokens":[1,2,3,4]}"#
        #expect(detail(harness().post("/decode", "application/json", Array(tokens.utf8))).hasPrefix("the size is 1024x1024 pixels"))
        let document = Array("{\"image\":\"\(base64(png))\",\"model\":\"default\"}".utf8)
        #expect(detail(harness().post("/encode", "application/json", document, query: [("size", "6")])).hasPrefix("the size is 6x6 pixels; "))
    }

    @Test(
        arguments: [
            (#"{"image_size":16}"#, "token_count_mismatch"), (#"{"image_size":8}"#, nil), (#"{"tokens":4}"#, nil), (#"{"height":16,"width":4}"#, nil),
            (#"{"image_size":4,"height":4,"width":16}"#, nil), (#"{"image_size":0}"#, "invalid_field"), (#"{"image_size":-8}"#, "invalid_field"),
            (#"{"image_size":8,"height":9223372036854775807}"#, "invalid_field"), (#"{"image_size":"8"}"#, "invalid_field"),
            (#"{"height":12,"width":8}"#, "token_count_mismatch"), (#"{"height":6,"width":8}"#, "size_not_served"),
        ] as [(String, String?)])
    func theGridOfABodyDecides(grid: String, code: String?) {
        let body = Array("{\"fingerprint\":\"f1\",\"grid\":\(grid),\"tokens\":[1,2,3,4]}".utf8)
        #expect(harness().post("/decode", "application/json", body).problemCode == code)
    }

    @Test func whatContradictsItselfIsRefused() {
        let (harness, body) = (harness(), Array(#"{"fingerprint":"f1","grid":{"image_size":8},"tokens":[1,2,3,4]}"#.utf8))
        #expect(harness.post("/decode", "application/json", body, query: [("size", "8")]).status == .ok)
        #expect(harness.post("/decode", "application/json", body, query: [("size", "4x16")]).problemCode == "invalid_field")
        let answer = harness.post("/decode", "application/json", body, headers: ["Revq-Size": "8"], query: [("size", "16")])
        #expect(answer.problemCode == "malformed_query")
    }

    // MARK: What they cost

    @Test func picturesOfDifferentSizesNeverShareABatch() {
        let gate = Gate()
        let engine = FakeEngine(gate: gate, sizeStep: 4)
        let harness = harness(engine)
        func send(_ size: String) -> ServiceHarness.Pending {
            harness.send("POST", "/encode", query: [("size", size)], headers: ["Cache-Control": "no-cache"], body: png)
        }
        let running = send("8")
        gate.waitForArrival()
        let pending = ["8", "4", "8", "4", "4x8", "8x4"].map(send)
        gate.open()
        #expect(([running] + pending).allSatisfy { $0.answer.status == .ok })
        #expect(engine.batchSizes.reduce(0, +) == 7 && engine.batchSizes.count >= 5 && engine.batchSizes.allSatisfy { $0 <= 2 })
    }

    @Test func aPictureTakesPlacesByItsPixels() throws {
        let gate = Gate()
        let engine = FakeEngine(gate: gate, sizeStep: 4)
        let harness = harness(engine)
        let large = harness.send("POST", "/encode", query: [("size", "16")], body: png)
        gate.waitForArrival()
        // Four of eight places are left.
        let file = "\"\(base64(png))\""
        let four = harness.send(
            "POST", "/encode", headers: ["Content-Type": "application/json"], body: Array("{\"images\":[\(file),\(file),\(file),\(file)]}".utf8))
        while harness.service.backlog < 5 {}
        #expect(harness.post("/encode", "image/png", png).problemCode == "overloaded")
        gate.open()
        #expect(large.answer.status == .ok && four.answer.status == .ok)
        // What can never have its places is not told to come again.
        let three = harness.post("/encode", "application/json", Array("{\"images\":[\(file),\(file),\(file)]}".utf8), query: [("size", "16")])
        #expect(three.problemCode == "list_too_long")
        #expect(three.text.contains("3 pictures of 16x16 pixels count as 12 of the model's own size; at most 8 are taken at once"))
        #expect(harness.service.backlog == 0)
    }

    @Test func aKeyPaysByThePixels() throws {
        let folder = ScratchFolder()
        try folder.write("a \(FileDigest.sha256("one")) per-minute=5\n", to: "keys")
        let ring = try KeyRing("\(folder.path)/keys", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let harness = harness(keys: ring)
        let key: HTTPHeaders = ["X-API-Key": "one", "Cache-Control": "no-cache"]
        #expect(encode("16", to: harness, headers: key).status == .ok)
        #expect(encode("16", to: harness, headers: key).problemCode == "quota_exceeded")
    }

    @Test func listsWhatThereIs() {
        let sizes = #""sizes":{"maximum_pixels":512,"minimum":4,"multiple":4}"#
        #expect(harness().get("/models").text.contains(sizes) && harness().get("/info").text.contains(sizes))
        #expect(harness().get("/info").text.contains(#""size_pixels":1048576"#))
        #expect(!harness(sizePixels: 0).get("/models").text.contains("sizes") && !ServiceHarness().get("/models").text.contains("sizes"))
    }
}
