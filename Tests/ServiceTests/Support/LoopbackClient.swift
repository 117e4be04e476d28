import FoundationEssentials
import Glibc
import Testing

@testable import HTTPTransport
@testable import Service

/// An HTTP client that is just enough for tests: one connection, one request, everything read until the server closes.
struct LoopbackClient: Sendable {
    let port: UInt16

    struct Failure: Error {
        let step: String
    }

    /// - Parameter url: `http://127.0.0.1:PORT`.
    init(url: String) throws {
        port = try #require(url.split(separator: ":").last.flatMap { UInt16($0) })
    }

    func send(_ method: String, _ target: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil) throws -> HTTPResponse {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1", "Connection: close"] + headers.map { "\($0.name): \($0.value)" }
        if let body { lines.append("Content-Length: \(body.count)") }
        let request = Array((lines + ["", ""]).joined(separator: "\r\n").utf8) + (body ?? [])
        return try parse(try exchange(request))
    }

    func post(_ target: String, _ type: String, _ body: [UInt8], headers: HTTPHeaders = [:]) throws -> HTTPResponse {
        var headers = headers
        headers["Content-Type"] = type
        return try send("POST", target, headers: headers, body: body)
    }

    /// Repeats a request until the server has come to the point where its answer is as expected.
    /// - Throws: ``Failure`` after more attempts than any working server needs.
    @discardableResult
    func answer(_ isExpected: (HTTPResponse) -> Bool, to request: (LoopbackClient) throws -> HTTPResponse) throws -> HTTPResponse {
        for _ in 0..<100_000 {
            let answer = try request(self)
            if isExpected(answer) { return answer }
        }
        throw Failure(step: "get the expected answer")
    }

    func waitUntilReady() throws {
        try answer({ $0.status == .ok }, to: { try $0.send("GET", "/readyz") })
    }

    /// Opens a connection and sends these bytes; the caller closes it.
    func open(sending bytes: [UInt8]) throws -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Failure(step: "connect") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            // A server that has refused the request need not read the rest of it.
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        return descriptor
    }

    private func exchange(_ request: [UInt8]) throws -> [UInt8] {
        let descriptor = try open(sending: request)
        defer { close(descriptor) }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return answer }
            answer += chunk[..<count]
        }
    }

    private func parse(_ answer: [UInt8]) throws -> HTTPResponse {
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { throw Failure(step: "read an answer of \(answer.count) bytes") }
        let lines = String(decoding: answer[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let code = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { throw Failure(step: "read a status") }
        let fields = lines.dropFirst().compactMap { line in
            line.firstIndex(of: ":").map { colon in
                HTTPHeaders.Field(name: String(line[..<colon]), value: line[line.index(after: colon)...].drop { $0 == " " }.description)
            }
        }
        return HTTPResponse(status: HTTPStatus(code), headers: HTTPHeaders(fields), body: Array(answer[end.upperBound...]))
    }
}
