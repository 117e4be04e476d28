/// An IP address in numeric form and a port.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// `127.0.0.1` or `::1`, without brackets.
    package let host: String
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `127.0.0.1:8080` or `[::1]:8080`, as a URL spells it.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
