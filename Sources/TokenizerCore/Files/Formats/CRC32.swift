/// A cyclic redundancy check of 32 bits, its bits reversed.
package struct CRC32: Sendable {
    /// Of zip archives. Source: ISO 3309.
    package static let zip = CRC32(polynomial: 0xEDB8_8320)
    /// Of TensorFlow's records. Source: RFC 3720, appendix B.4.
    package static let castagnoli = CRC32(polynomial: 0x82F6_3B78)

    private let table: [UInt32]

    private init(polynomial: UInt32) {
        table = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { remainder, _ in remainder >> 1 ^ (remainder & 1 == 0 ? 0 : polynomial) }
        }
    }

    package func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            ~bytes.reduce(0xFFFF_FFFF) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
        }
    }
}
