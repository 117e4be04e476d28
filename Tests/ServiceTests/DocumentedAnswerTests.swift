import Logging
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import HTTPTransport
@testable import Images
@testable import Service

/// Every answer that the interface has for a route is produced, by what a client would send.
@Suite struct DocumentedAnswerTests {
    private let folder = ScratchFolder()
    private let png = PNGEncoder.encode(FakeEngine.image(filledWith: 40))
    private let unlucky = PNGEncoder.encode(FakeEngine.image(filledWith: 13))

    @Test(arguments: Route.table)
    func everyProblemOfARouteIsProduced(route: Route) throws {
        for code in route.problems {
            let answer = try problem(code, of: route)
            #expect(answer.problemCode == code.rawValue, "\(route.path): \(answer.text)")
            #expect(answer.status.code == code.status, "\(route.path) \(code)")
            #expect(answer.headers["X-Request-ID"].map { answer.text.contains("\"request_id\":\"\($0)\"") } == true, "\(route.path) \(code)")
            #expect(answer.text.contains("\"retryable\":\(code.isRetryable)"))
            #expect(answer.headers["Retry-After"] != nil || ![429, 503].contains(code.status) || isOfTransport(code), "\(route.path) \(code)")
        }
    }

    /// What the transport refuses, and gets its `Retry-After` from it.
    private func isOfTransport(_ code: ProblemCode) -> Bool { [.internalError, .noRoom, .deadlineExceeded].contains(code) }

    @Test func theClientThatHasTheAnswerGets304() throws {
        for route in Route.table {
            guard case .compute = route.endpoint else { continue }
            let harness = ServiceHarness()
            let answer = send(route, to: harness)
            #expect(answer.status == .ok)
            #expect(send(route, to: harness, headers: ["If-None-Match": try #require(answer.headers["ETag"])]).status == .notModified)
        }
    }

    // MARK: Requests

    private func send(
        _ route: Route, to harness: ServiceHarness, headers: HTTPHeaders = [:], query: [(String, String)] = [], body: [UInt8]? = nil,
        model: String? = nil
    ) -> HTTPResponse {
        pending(route, to: harness, headers: headers, query: query, body: body, model: model).answer
    }

    /// - Parameter body: nil for one that does.
    private func pending(
        _ route: Route, to harness: ServiceHarness, headers: HTTPHeaders = [:], query: [(String, String)] = [], body: [UInt8]? = nil,
        model: String? = nil
    ) -> ServiceHarness.Pending {
        var headers = headers
        if !route.accepts.isEmpty { headers["Content-Type"] = "application/json" }
        let known = route.endpoint.isAdministration ? "default" : "default.encode"
        let path = route.path.replacing("{model}", with: model ?? known).replacing("{version}", with: "1")
        return harness.send(
            route.method.rawValue, path, query: query, headers: headers, body: route.accepts.isEmpty ? [] : body ?? picture(png, for: route))
    }

    /// A picture, or tokens of one, as the route takes them.
    private func picture(_ file: [UInt8], for route: Route) -> [UInt8] {
        switch route.endpoint {
        case .infer: tensor("image", "BYTES", [1], "\"\(base64(file))\"")
        case .compute(.decode): tokens("[40,41,42,43]")
        default: Array("{\"image\":\"\(base64(file))\"}".utf8)
        }
    }

    private func tensor(_ name: String, _ type: String, _ shape: [Int], _ data: String, more: String = "") -> [UInt8] {
        Array("{\"inputs\":[{\"name\":\"\(name)\",\"shape\":\(shape),\"datatype\":\"\(type)\",\"data\":[\(data)]}]\(more)}".utf8)
    }

    private func tokens(_ list: String, fingerprint: String = "f1") -> [UInt8] {
        Array("{\"fingerprint\":\"\(fingerprint)\",\"tokens\":\(list)}".utf8)
    }

    /// Tokens of one picture to where they can be sent.
    private func decode(_ list: String, fingerprint: String = "f1", by route: Route) -> HTTPResponse {
        guard route.endpoint == .infer else { return send(route, to: ServiceHarness(), body: tokens(list, fingerprint: fingerprint)) }
        let values = list.dropFirst().dropLast()
        let body = tensor(
            "tokens", "INT64", [values.split(separator: ",").count], String(values), more: ",\"parameters\":{\"fingerprint\":\"\(fingerprint)\"}")
        // A version in the path has a fingerprint of its own, from which another one differs.
        guard fingerprint != "f1", route.path.contains("{version}") else {
            return send(route, to: ServiceHarness(), body: body, model: "default.decode")
        }
        return ServiceHarness().post("/v2/models/default.decode/infer", "application/json", body)
    }

    // MARK: What each takes

    private func problem(_ code: ProblemCode, of route: Route) throws -> HTTPResponse {
        if route.endpoint.isAdministration { return try administration(code, route) }
        let harness = ServiceHarness()
        switch code {
        case .malformedQuery: return send(route, to: harness, query: [("x", "1")])
        case .notAcceptable: return send(route, to: harness, headers: ["Accept": "audio/basic"])
        case .malformedHeader: return send(route, to: harness, headers: ["X-Request-Timeout-Ms": "x"])
        case .emptyBody: return send(route, to: harness, body: [])
        case .malformedBody: return send(route, to: harness, body: Array("{".utf8))
        case .invalidField: return send(route, to: harness, body: Array("{}".utf8))
        case .unsupportedMediaType: return send(route, to: harness, headers: ["Content-Encoding": "gzip"])
        case .unknownModel:
            return send(route, to: harness, query: route.parameters.contains("model") ? [("model", "none")] : [], model: "none.encode")
        case .bodyTooLarge: return send(route, to: ServiceHarness(bodyBytes: 10))
        case .listTooLong: return send(route, to: ServiceHarness(listItems: 1), body: list(for: route))
        case .engineFailed:
            return route.endpoint == .compute(.decode)
                ? decode("[13,1,2,3]", by: route) : send(route, to: harness, body: picture(unlucky, for: route))
        case .internalError: return harness.service.response(to: HTTPError(.internalServerError, "why"))
        case .noRoom: return harness.service.response(to: HTTPError(.serviceUnavailable, "why"))
        case .deadlineExceeded: return harness.service.response(to: HTTPError(.gatewayTimeout, "why"))
        case .sizeNotServed:
            return route.endpoint == .infer
                ? send(route, to: harness, body: tensor("image", "BYTES", [1], "\"\(base64(png))\"", more: ",\"parameters\":{\"size\":16}"))
                : send(route, to: harness, query: [("size", "16")])
        case .fingerprintNotResident: return decode("[1,2,3,4]", fingerprint: "f2", by: route)
        case .tokenCountMismatch: return decode("[1,2,3]", by: route)
        case .tokenOutOfRange: return decode("[1,2,3,300]", by: route)
        case .unauthorized, .forbidden, .quotaExceeded: return try withKeys(code, route)
        case .overloaded, .notReady, .shuttingDown, .stuck: return state(code, route)
        default: return image(code, route)
        }
    }

    /// What only an operator may do.
    private func administration(_ code: ProblemCode, _ route: Route) throws -> HTTPResponse {
        try folder.write("a \(FileDigest.sha256("one")) operations=\(code == .forbidden ? "encode" : "admin")\n", to: "keys")
        let ring = try KeyRing("\(folder.path)/keys", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let checkpoints = ScratchFolder()
        try checkpoints.publish("1", to: "default/1")
        let harness = ServiceHarness(engines: [:], keys: ring, checkpoints: checkpoints)
        let key: HTTPHeaders = code == .unauthorized ? [:] : ["X-API-Key": "one"]
        let version = route.parameters.contains("version") ? [("version", "1")] : []
        switch code {
        case .malformedQuery: return send(route, to: harness, headers: key, query: [("x", "1")])
        case .notAcceptable: return send(route, to: harness, headers: ["X-API-Key": "one", "Accept": "audio/basic"])
        case .unknownModel: return send(route, to: harness, headers: key, query: version, model: "none")
        default: return send(route, to: harness, headers: key, query: version)
        }
    }

    private func list(for route: Route) -> [UInt8] {
        let file = "\"\(base64(png))\""
        return switch route.endpoint {
        case .infer: tensor("image", "BYTES", [2], "\(file),\(file)")
        case .compute(.decode): tokens("[[1,2,3,4],[1,2,3,4]]")
        default: Array("{\"images\":[\(file),\(file)]}".utf8)
        }
    }

    private func image(_ code: ProblemCode, _ route: Route) -> HTTPResponse {
        let harness = ServiceHarness()
        switch code {
        case .imageEmpty: return send(route, to: harness, body: picture([], for: route))
        case .imageTruncated: return send(route, to: harness, body: picture(Array(png.dropLast(20)), for: route))
        case .imageFormatUnsupported: return send(route, to: harness, body: picture(Array("GIF89a".utf8), for: route))
        case .imageTooLarge: return send(route, to: ServiceHarness(memoryBytes: 100), body: picture(png, for: route))
        case .imageCorrupt:
            var damaged = png
            damaged[30] ^= 0xFF
            return send(route, to: harness, body: picture(damaged, for: route))
        // The machine's memory does not end in a test: the words for it.
        case .imageOutOfMemory:
            let problem = ImageError.outOfMemory("why").problem
            var response = problem.response(for: "r1")
            response.headers["X-Request-ID"] = "r1"
            return response
        default: return HTTPResponse(status: .ok, text: "nobody knows how to get \(code)")
        }
    }

    private func withKeys(_ code: ProblemCode, _ route: Route) throws -> HTTPResponse {
        try folder.write(
            "a \(FileDigest.sha256("one")) operations=\(code == .forbidden ? "x" : "encode,decode,reconstruct") per-minute=1\n"
                .replacing("operations=x", with: route.endpoint == .compute(.decode) ? "operations=encode" : "operations=decode"), to: "keys")
        let ring = try KeyRing("\(folder.path)/keys", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let harness = ServiceHarness(keys: ring)
        let headers: HTTPHeaders = code == .unauthorized ? [:] : ["X-API-Key": "one"]
        if code == .quotaExceeded { #expect(send(route, to: harness, headers: headers).status == .ok) }
        return send(route, to: harness, headers: headers)
    }

    private func state(_ code: ProblemCode, _ route: Route) -> HTTPResponse {
        switch code {
        case .notReady: return send(route, to: ServiceHarness(engines: [:]))
        case .shuttingDown:
            let harness = ServiceHarness()
            harness.service.drain()
            return send(route, to: harness)
        default:
            let gate = Gate()
            let harness = ServiceHarness(engines: ["default": FakeEngine(gate: gate)], maxBatch: 1, maxQueue: 1, stuckAfter: .zero)
            defer { gate.open() }
            let running = code == .stuck ? harness.send("POST", "/encode", body: png) : pending(route, to: harness)
            gate.waitForArrival()
            return withExtendedLifetime(running) { send(route, to: harness) }
        }
    }
}
