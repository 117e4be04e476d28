/// Takes little-endian integers and runs of bytes from the front of a buffer, and nil from where it ends.
package struct LittleEndianReader {
    private let buffer: [UInt8]
    private(set) var position = 0

    package init(_ buffer: [UInt8]) {
        self.buffer = buffer
    }

    var remaining: Int { buffer.count - position }

    /// - Parameter width: 1…8 bytes.
    /// - Returns: nil, too, for a number beyond `Int.max`.
    package mutating func integer(_ width: Int) -> Int? {
        guard remaining >= width else { return nil }
        let value = buffer[position..<position + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        position += width
        return Int(exactly: value)
    }

    package mutating func bytes(_ count: Int) -> [UInt8]? {
        guard count >= 0, remaining >= count else { return nil }
        position += count
        return Array(buffer[position - count..<position])
    }

    package mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, remaining >= count else { return false }
        position += count
        return true
    }

    /// The bytes up to the next line feed, which is taken, too.
    package mutating func line() -> [UInt8]? {
        guard let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { position = end + 1 }
        return Array(buffer[position..<end])
    }
}
