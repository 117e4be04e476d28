import Glibc

@testable import HTTPTransport

/// A blocking client that sends exactly the bytes it is told to.
final class LoopbackClient {
    struct Answer: Equatable {
        var status = 0
        var head = ""
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private var descriptor: CInt
    private var received: [UInt8] = []

    init(_ address: SocketAddress) throws {
        descriptor = try SystemCalls.check("socket") { socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0) }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        target.sin_addr.s_addr = inet_addr(address.host)
        // A hang becomes a failure.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        _ = try withUnsafePointer(to: &target) { target in
            try target.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try SystemCalls.check("connect") {
                    connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    deinit {
        close()
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Closes with a reset, as a crashing client does.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    func shutDownWriting() {
        shutdown(descriptor, CInt(SHUT_WR))
    }

    /// - Returns: false if the server has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool {
        send(Array(text.utf8))
    }

    /// Everything up to the end of the connection; `nil` if it was reset.
    func receiveToEnd() -> [UInt8]? {
        while true {
            switch receiveSome() {
            case 0: return received
            case ..<0: return nil
            default: continue
            }
        }
    }

    /// The next final answer; `nil` if the connection ends first.
    func receiveAnswer() -> Answer? {
        var answer = Answer()
        repeat {
            guard let head = receiveHead() else { return nil }
            answer.head = head
            answer.status = Int(head.split(separator: " ")[1])!
        } while answer.status < 200
        let length = answer.head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        let bodyBytes = length.flatMap { Int($0.dropFirst("Content-Length: ".count)) } ?? 0
        while received.count < bodyBytes {
            guard receiveSome() > 0 else { return nil }
        }
        answer.body = Array(received.prefix(bodyBytes))
        received.removeFirst(bodyBytes)
        return answer
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
