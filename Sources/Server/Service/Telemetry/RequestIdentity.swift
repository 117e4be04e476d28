import Glibc
import HTTPTransport
import Logging
import Synchronization

/// Who asks, and by which name the request is known elsewhere.
struct RequestIdentity: Sendable, Equatable {
    /// The `X-Request-ID` of the request if it has a proper one, otherwise one of our own.
    let id: String
    /// The client's address, without its port.
    let client: String
    /// The trace that the request belongs to, if its `traceparent` says so.
    let trace: String?

    init(_ head: HTTPRequestHead, proxies: TrustedProxies) {
        id = head.headers["X-Request-ID"].flatMap { Self.isProper($0) ? $0 : nil } ?? Self.newID()
        client = proxies.client(of: head)
        trace = head.headers["traceparent"].flatMap(Self.trace)
    }

    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["client": "\(client)", "id": "\(id)"]
        if let trace { metadata["trace"] = "\(trace)" }
        return metadata
    }

    /// Letters, digits, `-` and `_`, as imgproxy has it: nothing that could be mistaken in a log.
    private static func isProper(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Numbers that are this process's own, one after the other, and none twice.
    private static let ids = Atomic(UInt64.random(in: .min ... .max))

    /// A number scattered so that neighbours look unlike (SplitMix64): asking the system for each would cost a call of it.
    static func newID() -> String {
        var number = ids.wrappingAdd(1, ordering: .relaxed).newValue &* 0x9E37_79B9_7F4A_7C15
        number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        let digits = String(number ^ number >> 31, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The trace's part of `00-<32 hexadecimal digits>-<16>-<2>`. Source: W3C Trace Context.
    private static func trace(_ header: String) -> String? {
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 32, 16, 2], parts[0] != "ff", parts.allSatisfy({ $0.utf8.allSatisfy(isHexadecimal) }) else { return nil }
        return String(parts[1])
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// The proxies whose word about a client's address counts.
struct TrustedProxies: Sendable, Equatable {
    /// The first bits of an address.
    private struct Network: Equatable {
        let bytes: [UInt8]
        let bits: Int

        func contains(_ address: [UInt8]) -> Bool {
            guard address.count == bytes.count else { return false }
            return (0..<bits).allSatisfy { bit in (address[bit / 8] ^ bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0 }
        }
    }

    private let networks: [Network]

    static let none = TrustedProxies(networks: [])

    private init(networks: [Network]) {
        self.networks = networks
    }

    /// - Parameter text: addresses and networks such as `10.0.0.0/8, ::1`, separated by commas; empty for none.
    /// - Returns: nil where one of them is neither.
    init?(_ text: String) {
        var networks: [Network] = []
        for part in text.split(separator: ",").map({ $0.filter { $0 != " " } }) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let bytes = Self.bytes(String(pieces[0])) else { return nil }
            guard let bits = pieces.count == 2 ? Int(pieces[1]) : bytes.count * 8, (0...bytes.count * 8).contains(bits) else { return nil }
            networks.append(Network(bytes: bytes, bits: bits))
        }
        self.networks = networks
    }

    /// The address that the last trusted proxy on the way has seen: what a client writes into the header itself is never believed.
    func client(of head: HTTPRequestHead) -> String {
        let peer = head.peer.host
        guard isTrusted(peer) else { return peer }
        var client = peer
        for hop in head.headers.list("X-Forwarded-For").reversed() {
            guard Self.bytes(hop) != nil else { break }
            client = hop
            guard isTrusted(hop) else { break }
        }
        return client
    }

    private func isTrusted(_ address: String) -> Bool {
        guard !networks.isEmpty, let bytes = Self.bytes(address) else { return false }
        return networks.contains { $0.contains(bytes) }
    }

    /// 4 bytes of an IPv4 address, also where it is written as IPv6, or 16 bytes.
    private static func bytes(_ address: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &bytes) == 1 { return Array(bytes.prefix(4)) }
        guard inet_pton(AF_INET6, address, &bytes) == 1 else { return nil }
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }
}
