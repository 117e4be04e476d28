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
        let resolved = try ResolvedAddress(wanted)
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try SystemCalls.check("socket") { Glibc.socket(resolved.family, kind, 0) }
        let socket = Socket(owning: descriptor)
        try SystemCalls.setOption(descriptor, level: SOL_SOCKET, name: SO_REUSEADDR, 1)
        if resolved.family == AF_INET6 {
            try SystemCalls.setOption(descriptor, level: CInt(IPPROTO_IPV6), name: IPV6_V6ONLY, 0)
        }
        try resolved.withPointer { address, length throws(SystemError) in
            _ = try SystemCalls.check("bind \(wanted)") { bind(descriptor, address, length) }
        }
        _ = try SystemCalls.check("listen \(wanted)") { listen(descriptor, CInt(clamping: backlog)) }
        address = try SystemCalls.localAddress(descriptor)
        self.socket = socket
    }
}
