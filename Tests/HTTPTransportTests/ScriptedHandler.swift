@testable import HTTPTransport

/// A handler that is a closure: it gets each complete request, its body at most 4 MiB.
struct ScriptedHandler: HTTPHandler {
    var answerWithin: Duration?
    let respond: @Sendable (HTTPRequest, HTTPResponder) -> Void

    func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
        .accept(maximumBodyBytes: 4 << 20, answerWithin: answerWithin) { request in
            respond(request, responder)
        }
    }

    /// Answers at once with method, path and body.
    static let echo = ScriptedHandler { request, responder in
        let line = Array("\(request.head.method) \(request.head.path) ".utf8)
        responder.respond(HTTPResponse(status: .ok, body: line + request.body))
    }
}

extension HTTPServer {
    /// Runs `body` against a server on a free loopback port and stops it afterwards. Clients may be slow to send, as threads
    /// are on a busy machine.
    static func withServer<Result>(
        _ handler: some HTTPHandler, configure: (inout Configuration) -> Void = { _ in },
        _ body: (HTTPServer) throws -> Result
    ) throws -> Result {
        var configuration = Configuration()
        configuration.limits.headTimeout = .seconds(600)
        configure(&configuration)
        let server = try HTTPServer(configuration: configuration, handler: handler)
        defer { server.stop(within: .zero) }
        return try body(server)
    }
}
