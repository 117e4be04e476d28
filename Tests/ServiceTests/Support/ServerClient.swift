import HTTPTransport
import TestSupport

@testable import Service

/// Sends whole requests to a server, each on a connection of its own.
struct ServerClient: Sendable {
    let address: SocketAddress

    /// It did not come to the point that was waited for.
    struct NeverAnswered: Error {}

    init(_ server: Server) {
        address = server.address
    }

    func send(_ method: String, _ target: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil) throws -> HTTPResponse {
        try LoopbackClient.send(method, target, to: address, headers: headers, body: body)
    }

    func post(_ target: String, _ type: String, _ body: [UInt8], headers: HTTPHeaders = [:]) throws -> HTTPResponse {
        var headers = headers
        headers["Content-Type"] = type
        return try send("POST", target, headers: headers, body: body)
    }

    /// Repeats a request until the server has come to the point where its answer is as expected.
    /// - Throws: after more attempts than any working server needs.
    @discardableResult
    func answer(_ isExpected: (HTTPResponse) -> Bool, to request: (ServerClient) throws -> HTTPResponse) throws -> HTTPResponse {
        for _ in 0..<100_000 {
            let answer = try request(self)
            if isExpected(answer) { return answer }
        }
        throw NeverAnswered()
    }

    func waitUntilReady() throws {
        try answer({ $0.status == .ok }, to: { try $0.send("GET", "/readyz") })
    }
}
