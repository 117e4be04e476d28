import Logging
import TestSupport

@testable import Files
@testable import HTTPTransport
@testable import Service

/// A service without sockets: requests go in as values, answers come out.
final class ServiceHarness: Sendable {
    let registry = ModelRegistry(residentVersions: 2)
    let service: TokenizerService
    /// Takes orders, where there is a folder of checkpoints: each is served as `f` and the name of its version.
    let models: CheckpointWatcher?

    init(
        engines: [String: FakeEngine] = ["default": FakeEngine()], maxBatch: Int = 4, maxQueue: Int = 8, memoryBytes: Int = 1 << 24,
        stuckAfter: Duration = .seconds(30), cacheBytes: Int = 0, listItems: Int = 64, sizePixels: Int = 1 << 20,
        bodyBytes: Int? = nil, keys: KeyRing? = nil, crossOrigin: CrossOrigin? = nil, checkpoints: ScratchFolder? = nil
    ) {
        var limits = TokenizerService.Limits(batching: .init(maxBatch: maxBatch, maxDelay: .zero, maxQueue: maxQueue), poolThreads: 2)
        (limits.memoryBytes, limits.stuckAfter, limits.cacheBytes, limits.listItems) = (memoryBytes, stuckAfter, cacheBytes, listItems)
        (limits.crossOrigin, limits.sizePixels) = (crossOrigin, sizePixels)
        if let bodyBytes { (limits.imageBodyBytes, limits.tokenBodyBytes) = (bodyBytes, bodyBytes) }
        for (name, engine) in engines { registry.serve(engine, as: name) }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        models = checkpoints.map { [registry] folder in
            try! CheckpointWatcher(folder: folder.path, registry: registry, logger: logger, identify: { _ in nil }) { path, _ in
                FakeEngine(version: Int(PathName.last(of: path))!, fingerprint: "f\(PathName.last(of: path))")
            }
        }
        while models?.step(at: .now) == true {}
        service = try! TokenizerService(
            registry: registry, limits: limits, logger: logger, keys: keys, models: models)
    }

    deinit {
        service.close()
    }

    /// One request that has been sent, perhaps not answered yet.
    struct Pending {
        let responder: HTTPResponder
        let answers: Mailbox<HTTPResponse>
        /// Those of an answer that comes in parts, the last one empty.
        let parts: Mailbox<[UInt8]>

        var answer: HTTPResponse { answers.wait(for: 1)[0] }
    }

    func send(_ method: String, _ path: String, query: [(String, String)] = [], headers: HTTPHeaders = [:], body: [UInt8] = []) -> Pending {
        let answers = Mailbox<HTTPResponse>()
        let parts = Mailbox<[UInt8]>()
        let responder = HTTPResponder(
            HTTPExchange { delivery in
                switch delivery {
                case .answer(let response): answers.post(response)
                case .part(let bytes, _): parts.post(bytes)
                }
            })
        let head = HTTPRequestHead(
            method: HTTPMethod(rawValue: method), target: path, path: path,
            query: HTTPQuery(query.map { HTTPQuery.Item(name: $0.0, value: $0.1) }), headers: headers, contentLength: body.count)
        switch service.admit(head, responder, among: Route.table + Route.parts) {
        case .answer(let response):
            responder.respond(response)
        case .accept(let maximumBodyBytes, _, _, let handle):
            if body.count > maximumBodyBytes {
                responder.respond(service.response(to: HTTPError(.contentTooLarge, "too large")))
                responder.cancel(.disconnected)
            } else {
                handle(HTTPRequest(head: head, body: body))
            }
        }
        return Pending(responder: responder, answers: answers, parts: parts)
    }

    func post(_ path: String, _ type: String, _ body: [UInt8], headers: HTTPHeaders = [:], query: [(String, String)] = []) -> HTTPResponse {
        var headers = headers
        headers["Content-Type"] = type
        return send("POST", path, query: query, headers: headers, body: body).answer
    }

    func get(_ path: String) -> HTTPResponse {
        send("GET", path).answer
    }
}

extension HTTPResponse {
    /// The `code` of a problem document that says the status it came with.
    var problemCode: String? {
        guard headers["Content-Type"] == "application/problem+json", text.contains("\"status\":\(status.code),"),
            let start = text.firstRange(of: "\"code\":\"")?.upperBound
        else { return nil }
        return String(text[start...].prefix { $0 != "\"" })
    }
}
