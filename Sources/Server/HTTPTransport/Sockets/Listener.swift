import Glibc
import Threads

/// A listening TCP socket, shared by the event loops.
final class Listener: Sendable {
    let socket: Socket
    /// Where it really listens; the port is never 0.
    let address: SocketAddress

    /// Binds the first address that `host` stands for.
    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address, `::` for both families, or a name.
    ///   - port: 0 for any free one.
    ///   - backlog: how many clients may wait to be accepted.
    init(host: String, port: UInt16, backlog: Int) throws(SystemError) {
        let wanted = SocketAddress(host: host, port: port)
        var storage = sockaddr_storage()
        let length = try Self.resolve(wanted, into: &storage)
        let family = CInt(storage.ss_family)
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try SystemCalls.check("socket") { Glibc.socket(family, kind, 0) }
        let socket = Socket(owning: descriptor)
        try SystemCalls.setOption(descriptor, level: SOL_SOCKET, name: SO_REUSEADDR, 1)
        if family == AF_INET6 {
            try SystemCalls.setOption(descriptor, level: CInt(IPPROTO_IPV6), name: IPV6_V6ONLY, 0)
        }
        try Self.withSocketAddress(&storage) { address throws(SystemError) in
            _ = try SystemCalls.check("bind \(wanted)") { bind(descriptor, address, length) }
        }
        _ = try SystemCalls.check("listen \(wanted)") { listen(descriptor, CInt(clamping: backlog)) }
        var boundLength = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try Self.withSocketAddress(&storage) { address throws(SystemError) in
            _ = try SystemCalls.check("getsockname") { getsockname(descriptor, address, &boundLength) }
        }
        self.address = SocketAddress(storage)
        self.socket = socket
    }

    /// - Returns: the length of the address.
    private static func resolve(_ wanted: SocketAddress, into storage: inout sockaddr_storage) throws(SystemError)
        -> socklen_t
    {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(wanted.host, String(wanted.port), &hints, &list)
        defer { list.map(freeaddrinfo) }
        guard status == 0, let first = list?.pointee, let address = first.ai_addr else {
            throw SystemError(operation: "no such host as \(wanted.host)", code: EADDRNOTAVAIL)
        }
        withUnsafeMutableBytes(of: &storage) { storage in
            storage.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(first.ai_addrlen)))
        }
        return first.ai_addrlen
    }

    private static func withSocketAddress(
        _ storage: inout sockaddr_storage, _ body: (UnsafeMutablePointer<sockaddr>) throws(SystemError) -> Void
    ) throws(SystemError) {
        try withUnsafeMutablePointer(to: &storage) { storage throws(SystemError) in
            try storage.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}
