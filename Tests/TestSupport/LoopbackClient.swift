import Glibc
import HTTPTransport

/// A blocking client that sends exactly the bytes it is told to: one connection.
package final class LoopbackClient {
    /// What could not be done.
    package struct Failure: Error {
        let step: String
    }

    private var descriptor: CInt
    private var received: [UInt8] = []

    package init(_ address: SocketAddress) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        target.sin_addr.s_addr = inet_addr(address.host)
        // A hang becomes a failure.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let connected = withUnsafePointer(to: &target) { target in
            target.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Failure(step: "connect to \(address)") }
    }

    deinit {
        close()
    }

    package func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Closes with a reset, as a crashing client does.
    package func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    package func shutDownWriting() {
        shutdown(descriptor, CInt(SHUT_WR))
    }

    /// - Returns: false if the server has closed.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    package func send(_ text: String) -> Bool {
        send(Array(text.utf8))
    }

    /// Everything up to the end of the connection; `nil` if it was reset.
    package func receiveToEnd() -> [UInt8]? {
        while true {
            switch receiveSome() {
            case 0: return received
            case ..<0: return nil
            default: continue
            }
        }
    }

    /// What arrives next and has not been read as an answer; `nil` at the end of the connection.
    package func receive() -> [UInt8]? {
        defer { received = [] }
        guard !received.isEmpty || receiveSome() > 0 else { return nil }
        return received
    }

    /// The next final answer; `nil` if the connection ends first.
    /// - Parameter toHead: it answers `HEAD` and has no body, whatever its length says.
    package func receiveAnswer(toHead: Bool = false) -> HTTPResponse? {
        var answer: HTTPResponse
        repeat {
            guard let head = receiveHead(), let parsed = Self.parse(head) else { return nil }
            answer = parsed
        } while answer.status.code < 200
        let bodyBytes = toHead ? 0 : answer.headers["Content-Length"].flatMap { Int($0) } ?? 0
        while received.count < bodyBytes {
            guard receiveSome() > 0 else { return nil }
        }
        answer.body = Array(received.prefix(bodyBytes))
        received.removeFirst(bodyBytes)
        return answer
    }

    private static func parse(_ head: String) -> HTTPResponse? {
        let lines = head.split(separator: "\r\n")
        guard let code = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        let fields = lines.dropFirst().compactMap { line in
            line.firstIndex(of: ":").map { colon in
                HTTPHeaders.Field(name: String(line[..<colon]), value: String(line[line.index(after: colon)...].drop { $0 == " " }))
            }
        }
        return HTTPResponse(status: HTTPStatus(code), headers: HTTPHeaders(fields))
    }

    private func receiveHead() -> String? {
        let end: [UInt8] = [13, 10, 13, 10]
        var searched = 0
        while true {
            if let start = (searched..<max(searched, received.count - 3)).first(where: { received[$0..<$0 + 4].elementsEqual(end) }) {
                defer { received.removeFirst(start + 4) }
                return String(decoding: received[..<start], as: UTF8.self)
            }
            searched = max(0, received.count - 3)
            guard receiveSome() > 0 else { return nil }
        }
    }

    private func receiveSome() -> Int {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        received += buffer.prefix(max(0, count))
        return count
    }
}

extension LoopbackClient {
    /// Sends one request on a connection of its own.
    package static func send(
        _ method: String, _ target: String, to address: SocketAddress, headers: HTTPHeaders = [:], body: [UInt8]? = nil
    ) throws -> HTTPResponse {
        let client = try LoopbackClient(address)
        var lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1", "Connection: close"] + headers.map { "\($0.name): \($0.value)" }
        if let body { lines.append("Content-Length: \(body.count)") }
        // A server that has refused the request need not read the rest of it.
        client.send(Array((lines + ["", ""]).joined(separator: "\r\n").utf8) + (body ?? []))
        guard let answer = client.receiveAnswer(toHead: method == "HEAD") else { throw Failure(step: "get an answer to \(method) \(target)") }
        return answer
    }
}

extension HTTPResponse {
    package var text: String { String(decoding: body, as: UTF8.self) }
}
