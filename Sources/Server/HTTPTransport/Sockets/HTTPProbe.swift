import Glibc
import Threads

/// One `GET` as a supervisor asks it, on a socket of its own that waits.
package enum HTTPProbe {
    /// No answer to a probe is longer.
    private static let maximumBytes = 64 << 10

    /// - Parameter limit: for connecting, and for the answer from its request to its end, each.
    /// - Returns: the status, such as 200, and the body; nil where what came is no whole answer of HTTP/1.1.
    /// - Throws: where nobody listens, or no answer came in time (`EAGAIN`, `EINPROGRESS`).
    package static func get(
        _ path: String, at address: SocketAddress, within limit: Duration
    ) throws(SystemError) -> (status: Int, body: String)? {
        let resolved = try ResolvedAddress(address)
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = Socket(owning: try SystemCalls.check("socket") { Glibc.socket(resolved.family, kind, 0) })
        try SystemCalls.setTimeout(socket.descriptor, limit)
        try resolved.withPointer { pointer, length throws(SystemError) in
            _ = try SystemCalls.check("connect to \(address)") { connect(socket.descriptor, pointer, length) }
        }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n".utf8)
        let end = ContinuousClock.now + limit
        let sent = request.withUnsafeBytes { SystemCalls.send(socket.descriptor, $0, UnsafeRawBufferPointer(start: nil, count: 0)) }
        guard sent == .done(request.count) else { return nil }
        return parse(try receive(socket, from: address, until: end))
    }

    /// Everything up to the end of the connection.
    private static func receive(_ socket: borrowing Socket, from address: SocketAddress, until end: ContinuousClock.Instant) throws(SystemError)
        -> [UInt8]
    {
        var (received, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4 << 10))
        while received.count < maximumBytes {
            switch buffer.withUnsafeMutableBytes({ SystemCalls.receive(socket.descriptor, into: $0) }) {
            case .done(0), .broken: return received
            case .done(let count): received += buffer.prefix(count)
            case .wouldBlock: throw SystemError(operation: "no answer from \(address) in time", code: EAGAIN)
            }
            // A socket's own limit begins again with every byte.
            guard ContinuousClock.now < end else { throw SystemError(operation: "no answer from \(address) in time", code: EAGAIN) }
        }
        return received
    }

    static func parse(_ bytes: [UInt8]) -> (status: Int, body: String)? {
        let text = String(decoding: bytes, as: UTF8.self)
        let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
            let head = text.firstRange(of: "\r\n\r\n")
        else { return nil }
        return (status, String(text[head.upperBound...]))
    }
}
