import Glibc

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

extension SocketAddress {
    /// The numeric form of what the system reports; `unknown:0` for a family that is not IP.
    init(_ storage: sockaddr_storage) {
        var storage = storage
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch CInt(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            withUnsafePointer(to: address.sin_addr) {
                _ = inet_ntop(AF_INET, $0, &text, socklen_t(text.count))
            }
            self.init(host: text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }, port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in6.self) }
            withUnsafePointer(to: address.sin6_addr) {
                _ = inet_ntop(AF_INET6, $0, &text, socklen_t(text.count))
            }
            self.init(host: text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }, port: UInt16(bigEndian: address.sin6_port))
        default:
            self.init(host: "unknown", port: 0)
        }
    }
}
