/// Integers and bytes of a file, read with bounds checks: at offsets, or one after the other from the front. Nil from where the file ends.
package struct ByteReader {
    package enum Order: Sendable {
        case bigEndian, littleEndian
    }

    private let bytes: ArraySlice<UInt8>
    private let order: Order
    /// How many bytes were taken from the front.
    private var position = 0

    package init(_ bytes: ArraySlice<UInt8>, _ order: Order) {
        (self.bytes, self.order) = (bytes, order)
    }

    package init(_ bytes: [UInt8], _ order: Order) {
        self.init(bytes[...], order)
    }

    package var count: Int { bytes.count }

    /// The unsigned number of `width` bytes, 1…8, that stands at `offset`.
    /// - Returns: nil, too, for a number beyond `Int.max`.
    package func integer(_ width: Int, at offset: Int) -> Int? {
        guard let found = slice(at: offset, count: width) else { return nil }
        switch order {
        case .bigEndian: return Int(exactly: found.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        case .littleEndian: return Int(exactly: found.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
    }

    /// `count` bytes from `offset`, or nil when they are not all there.
    package func slice(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        let start = bytes.startIndex + offset
        return bytes[start..<start + count]
    }

    /// Whether `text` stands at `offset`.
    package func has(_ text: StaticString, at offset: Int) -> Bool {
        guard let found = slice(at: offset, count: text.utf8CodeUnitCount) else { return false }
        return found.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// One after the other.
extension ByteReader {
    /// The next number; see ``integer(_:at:)``.
    package mutating func integer(_ width: Int) -> Int? {
        guard skip(width) else { return nil }
        return integer(width, at: position - width)
    }

    package mutating func bytes(_ count: Int) -> [UInt8]? {
        guard skip(count) else { return nil }
        return slice(at: position - count, count: count).map(Array.init)
    }

    package mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, bytes.count - position >= count else { return false }
        position += count
        return true
    }

    /// The bytes up to the next line feed, which is taken, too.
    package mutating func line() -> [UInt8]? {
        let rest = bytes.dropFirst(position)
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        position = end + 1 - bytes.startIndex
        return Array(rest[..<end])
    }
}
