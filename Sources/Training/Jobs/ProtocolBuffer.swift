/// A message in the making, field by field. Source: protobuf.dev/programming-guides/encoding.
struct ProtocolBuffer {
    private(set) var contents: [UInt8] = []

    private enum Wire: Int {
        case varint = 0
        case bits64 = 1
        case delimited = 2
        case bits32 = 5
    }

    mutating func integer(_ field: Int, _ value: Int) {
        tag(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ field: Int, _ value: Double) {
        tag(field, .bits64)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { contents += $0 }
    }

    mutating func float(_ field: Int, _ value: Float) {
        tag(field, .bits32)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { contents += $0 }
    }

    mutating func bytes(_ field: Int, _ value: [UInt8]) {
        tag(field, .delimited)
        varint(UInt64(value.count))
        contents += value
    }

    mutating func message(_ field: Int, _ value: ProtocolBuffer) { bytes(field, value.contents) }

    private mutating func tag(_ field: Int, _ wire: Wire) { varint(UInt64(field << 3 | wire.rawValue)) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            contents.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        contents.append(UInt8(rest))
    }
}
