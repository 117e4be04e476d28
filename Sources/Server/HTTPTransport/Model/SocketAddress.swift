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

    /// What stands for one client: an IPv4 address, or the first 64 bits of an IPv6 one, since a client has all addresses behind them.
    var origin: String {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, host, &bytes) == 1 else { return host }
        let mapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return mapped ? bytes.suffix(4).map(String.init).joined(separator: ".") : Self.text(ofNetwork: bytes.prefix(8)) + "/64"
    }

    private static func text(ofNetwork bytes: ArraySlice<UInt8>) -> String {
        var address = Array(bytes) + [UInt8](repeating: 0, count: 8)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        return text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
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
