import FoundationEssentials

/// Stands in for swift-crypto where fuzzers are built: that takes far longer than all of ours, and no fuzzer finds a preimage anyway.
public struct SHA256 {
    public typealias Digest = [UInt8]
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    public static func hash(data: some DataProtocol) -> Digest {
        var hash = SHA256()
        hash.update(data: data)
        return hash.finalize()
    }

    public mutating func update(data: some DataProtocol) {
        for byte in data { update(byte) }
    }

    public mutating func update(bufferPointer: UnsafeRawBufferPointer) {
        for byte in bufferPointer { update(byte) }
    }

    private mutating func update(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    public func finalize() -> Digest {
        (0..<32).map { UInt8(truncatingIfNeeded: state >> (8 * ($0 % 8))) }
    }
}
