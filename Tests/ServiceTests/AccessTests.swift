import Logging
import TestSupport
import Testing

@testable import Files
@testable import HTTPTransport
@testable import Images
@testable import Service

/// Keys, what each may do, and pages of other origins.
@Suite struct AccessTests {
    private let folder = ScratchFolder()
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40))
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func line(_ name: String, _ key: String, _ more: String = "") -> String { "\(name) \(FileDigest.sha256(key)) \(more)\n" }

    private func ring(_ text: String) throws -> KeyRing {
        try folder.write(text, to: "keys")
        return try KeyRing("\(folder.path)/keys", logger: logger)
    }

    private func reason(_ text: String) -> String? {
        do {
            _ = try APIKeys(parsing: text)
            return nil
        } catch { return error.description }
    }

    @Test func readsAFileOfKeys() throws {
        let keys = try APIKeys(parsing: "# ours\n\n" + line("a", "one") + line("b", "two", "per-minute=5 operations=encode,decode # b"))
        #expect(keys.key("one")?.name == "a" && keys.key("one")?.perMinute == nil)
        #expect(keys.key("two")?.perMinute == 5 && keys.key("two")?.operations == [.encode, .decode])
        #expect(keys.key("three") == nil && keys.key("") == nil)
        #expect(reason("a b") == "line 1 of the API keys: expected a name and the SHA-256 of the key, 64 hexadecimal digits in lower case")
        #expect(reason(line("a", "one", "per-minute=0")) == "line 1 of the API keys: per-minute is \"0\"; expected a whole number, at least 1")
        #expect(reason("\n" + line("a", "one", "operations=encode,x"))?.hasPrefix("line 2 of the API keys: operations is \"encode,x\"") == true)
        #expect(reason(line("a", "one", "x=1"))?.contains("\"x=1\" is not known") == true)
        #expect(reason(line("a", "one") + line("a", "two"))?.hasSuffix("occurs twice") == true)
        #expect(throws: ConfigurationError.self) { try KeyRing("\(folder.path)/none", logger: logger) }
    }

    @Test func aQuotaComesBackEvenly() {
        let start = ContinuousClock.now
        var quota = Quota(perMinute: 6, at: start)
        #expect(quota.take(6, at: start) == nil)
        #expect(quota.take(1, at: start) == .seconds(10))
        #expect(quota.take(1, at: start + .seconds(5)) == .seconds(5))
        #expect(quota.take(1, at: start + .seconds(10)) == nil)
        #expect(quota.take(7, at: start + .seconds(3_600)) == .zero)
        #expect(quota.take(6, at: start + .seconds(3_600)) == nil)
    }

    @Test func computationsNeedAKey() throws {
        let harness = ServiceHarness(keys: try ring(line("a", "one") + line("b", "two", "operations=decode")))
        let refused = harness.post("/encode", "image/png", png)
        #expect(refused.status == HTTPStatus(401) && refused.problemCode == "unauthorized")
        #expect(refused.headers["WWW-Authenticate"] == "Bearer")
        #expect(harness.post("/encode", "image/png", png, headers: ["X-API-Key": "three"]).problemCode == "unauthorized")
        #expect(harness.post("/encode", "image/png", png, headers: ["Authorization": "Basic b25l"]).problemCode == "unauthorized")
        for headers: HTTPHeaders in [["X-API-Key": "one"], ["Authorization": "bearer one"]] {
            #expect(harness.post("/encode", "image/png", png, headers: headers).status == .ok)
        }
        let forbidden = harness.post("/encode", "image/png", png, headers: ["X-API-Key": "two"])
        #expect(forbidden.status == HTTPStatus(403) && forbidden.problemCode == "forbidden")
        #expect(forbidden.text.contains("it may decode"))
        #expect(harness.post("/v2/models/default.encode/infer", "application/json", Array("{}".utf8)).problemCode == "unauthorized")
        for path in ["/livez", "/models", "/info", "/v2/health/ready"] { #expect(harness.get(path).status == .ok) }
    }

    @Test func everyItemCounts() throws {
        let harness = ServiceHarness(keys: try ring(line("a", "one", "per-minute=3") + line("b", "two", "per-minute=3")))
        let list = Array("{\"images\":[\"\(base64(png))\",\"\(base64(png))\"]}".utf8)
        let headers: HTTPHeaders = ["X-API-Key": "one"]
        #expect(harness.post("/encode", "application/json", list, headers: headers).status == .ok)
        let refused = harness.post("/encode", "application/json", list, headers: headers)
        #expect(refused.status == .tooManyRequests && refused.problemCode == "quota_exceeded")
        #expect(refused.headers["Retry-After"].flatMap { Int($0) }.map { (1...60).contains($0) } == true)
        #expect(refused.text.contains("\"retryable\":true"))
        #expect(harness.post("/encode", "image/png", png, headers: ["X-API-Key": "two"]).status == .ok)
        #expect(harness.service.backlog == 0)
    }

    @Test func theFileIsFollowed() throws {
        let ring = try ring(line("a", "one"))
        let head = { (key: String) in HTTPRequestHead(method: .post, target: "/", path: "/", headers: ["X-API-Key": key]) }
        #expect(try ring.key(of: head("one")).name == "a")
        // Half of it is no list of keys yet.
        try folder.write("# none\n", to: "keys")
        ring.refresh()
        #expect(try ring.key(of: head("one")).name == "a")
        try folder.write(line("a", "two"), to: "keys")
        ring.refresh()
        #expect(try ring.key(of: head("one")).name == "a")
        ring.refresh()
        #expect(throws: Problem.self) { try ring.key(of: head("one")) }
        #expect(try ring.key(of: head("two")).name == "a")
        // What is of no use changes nothing.
        try folder.write("a b", to: "keys")
        ring.refresh()
        ring.refresh()
        #expect(try ring.key(of: head("two")).name == "a")
    }

    // MARK: Pages of other origins

    @Test func noPageOfAnotherOriginMayReadByItself() {
        let harness = ServiceHarness()
        let answer = harness.post("/encode", "image/png", png, headers: ["Origin": "https://a.example"])
        #expect(answer.headers["Access-Control-Allow-Origin"] == nil && answer.headers["Vary"] == nil)
        let preflight: HTTPHeaders = ["Origin": "https://a.example", "Access-Control-Request-Method": "POST"]
        #expect(harness.send("OPTIONS", "/encode", headers: preflight).answer.problemCode == "method_not_allowed")
    }

    @Test func pagesOfTheOriginsThatAreNamedMay() {
        let harness = ServiceHarness(crossOrigin: CrossOrigin("https://a.example, http://localhost:3000"))
        let preflight: HTTPHeaders = ["Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"]
        let asked = harness.send("OPTIONS", "/encode", headers: preflight).answer
        #expect(asked.status == .noContent)
        #expect(asked.headers["Access-Control-Allow-Origin"] == "http://localhost:3000")
        #expect(asked.headers["Access-Control-Allow-Methods"] == "POST")
        #expect(asked.headers["Access-Control-Allow-Headers"]?.contains("Content-Type") == true)
        #expect(asked.headers["Vary"] == "Origin")
        for (origin, allowed) in [("https://a.example", true), ("https://b.example", false), ("https://a.example.evil", false), ("null", false)] {
            for body in [png, [1, 2, 3]] {
                let answer = harness.post("/encode", "image/png", body, headers: ["Origin": origin])
                #expect(answer.headers["Access-Control-Allow-Origin"] == (allowed ? origin : nil))
                #expect(answer.headers["Access-Control-Expose-Headers"]?.contains("Revq-Fingerprint") == (allowed ? true : nil))
                #expect(answer.headers.values("Vary") == ["Origin"])
            }
        }
        #expect(harness.send("OPTIONS", "/nothing", headers: preflight).answer.problemCode == "not_found")
        #expect(harness.send("OPTIONS", "/encode", headers: ["Origin": "https://a.example"]).answer.problemCode == "method_not_allowed")
    }

    @Test func allOriginsMay() {
        let harness = ServiceHarness(crossOrigin: CrossOrigin("*"))
        #expect(harness.get("/models").headers["Access-Control-Allow-Origin"] == "*")
        for text in ["", "a.example", "https://", "https://a.example/", "https://*.example", "ftp://a"] {
            #expect(CrossOrigin(text) == nil, "\(text)")
        }
    }
}
