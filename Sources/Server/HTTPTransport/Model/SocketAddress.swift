/// An IP address in numeric form and a port.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// `127.0.0.1` or `::1`, without brackets.
    public let host: String
    public let port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `127.0.0.1:8080` or `[::1]:8080`, as a URL spells it.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
