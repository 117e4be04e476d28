/// Integers at offsets of a file, read with bounds checks.
struct FileBytes {
    enum ByteOrder {
        case bigEndian, littleEndian
    }

    private let bytes: ArraySlice<UInt8>
    private let order: ByteOrder

    init(_ bytes: ArraySlice<UInt8>, order: ByteOrder = .bigEndian) {
        self.bytes = bytes
        self.order = order
    }

    var count: Int { bytes.count }

    func byte(at offset: Int) -> Int? { integer(at: offset, width: 1) }
    func uint16(at offset: Int) -> Int? { integer(at: offset, width: 2) }
    func uint32(at offset: Int) -> Int? { integer(at: offset, width: 4) }

    /// Whether `text` stands at `offset`.
    func has(_ text: StaticString, at offset: Int) -> Bool {
        guard let found = slice(offset, count: text.utf8CodeUnitCount) else { return false }
        return found.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// `count` bytes from `offset`, or nil when they are not all there.
    func slice(_ offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        let start = bytes.startIndex + offset
        return bytes[start..<start + count]
    }

    private func integer(at offset: Int, width: Int) -> Int? {
        guard let found = slice(offset, count: width) else { return nil }
        switch order {
        case .bigEndian: return found.reduce(0) { $0 << 8 | Int($1) }
        case .littleEndian: return found.reversed().reduce(0) { $0 << 8 | Int($1) }
        }
    }
}
