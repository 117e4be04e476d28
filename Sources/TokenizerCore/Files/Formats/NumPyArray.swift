/// An array in NumPy's `.npy` format, in C order.
///
/// Source: NumPy format description, versions 1.0 to 3.0.
package struct NumPyArray: Sendable, Equatable {
    /// How an element is stored: an integer of 1, 2, 4 or 8 bytes, or a float of 4.
    package struct ElementType: Sendable, Equatable {
        package enum Kind: Character, Sendable {
            case signed = "i"
            case unsigned = "u"
            case float = "f"
        }

        package let kind: Kind
        package let bytes: Int
        package let isBigEndian: Bool

        package static let uint8 = ElementType(kind: .unsigned, bytes: 1, isBigEndian: false)
        package static let uint16 = ElementType(kind: .unsigned, bytes: 2, isBigEndian: false)
        package static let uint32 = ElementType(kind: .unsigned, bytes: 4, isBigEndian: false)
        package static let int32 = ElementType(kind: .signed, bytes: 4, isBigEndian: false)
        package static let int64 = ElementType(kind: .signed, bytes: 8, isBigEndian: false)
        package static let float32 = ElementType(kind: .float, bytes: 4, isBigEndian: false)

        private init(kind: Kind, bytes: Int, isBigEndian: Bool) {
            (self.kind, self.bytes, self.isBigEndian) = (kind, bytes, isBigEndian)
        }

        /// - Parameter name: NumPy's, such as `<i4`: the byte order, the kind, the number of bytes.
        init?(_ name: String) {
            let characters = Array(name)
            guard characters.count == 3, let kind = Kind(rawValue: characters[1]), let bytes = characters[2].wholeNumberValue,
                kind == .float ? bytes == 4 : [1, 2, 4, 8].contains(bytes), "<>|".contains(characters[0]), characters[0] != "|" || bytes == 1
            else { return nil }
            self.init(kind: kind, bytes: bytes, isBigEndian: characters[0] == ">" && bytes > 1)
        }

        package var name: String {
            (bytes == 1 ? "|" : isBigEndian ? ">" : "<") + String(kind.rawValue) + String(bytes)
        }

        /// The values in this type.
        /// - Precondition: they are integers that it holds, and it is little-endian.
        package func bytes(of values: [Int32]) -> [UInt8] {
            precondition(kind != .float && !isBigEndian, "integers are not stored as \(name)")
            func stored<Stored: FixedWidthInteger>(_: Stored.Type) -> [UInt8] {
                values.map { Stored($0).littleEndian }.withUnsafeBytes { Array($0) }
            }
            let isSigned = kind == .signed
            return switch bytes {
            case 1: isSigned ? stored(Int8.self) : stored(UInt8.self)
            case 2: isSigned ? stored(Int16.self) : stored(UInt16.self)
            case 4: isSigned ? stored(Int32.self) : stored(UInt32.self)
            default: isSigned ? stored(Int64.self) : stored(UInt64.self)
            }
        }
    }

    /// What is wrong with the bytes, in one line.
    package struct FormatError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    private static let maximumHeaderBytes = 4096

    package let type: ElementType
    package let shape: [Int]
    /// The elements' bytes as the type says, row-major.
    package let data: [UInt8]

    package var count: Int { shape.reduce(1, *) }

    /// - Parameter type: of integers that hold every value.
    package init(_ values: [Int32], as type: ElementType = .int32, shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
        self.type = type
        self.shape = shape
        data = type.bytes(of: values)
    }

    /// One axis of elements whose bytes these are; an end that is no whole element is left out.
    package init(_ data: [UInt8], as type: ElementType) {
        (self.type, shape) = (type, [data.count / type.bytes])
        self.data = data.dropLast(data.count % type.bytes)
    }

    package init(bytes values: [UInt8], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
        (type, self.shape, data) = (.uint8, shape, values)
    }

    /// - Throws: when the bytes are not a whole `.npy` file of one of the element types above.
    package init(parsing bytes: [UInt8]) throws(FormatError) {
        guard bytes.count >= 10, bytes.starts(with: Self.magic) else {
            throw FormatError(description: "not a NumPy array: the first bytes are not \\x93NUMPY")
        }
        let wide = bytes[6] >= 2
        guard (1...3).contains(bytes[6]), !wide || bytes.count >= 12 else {
            throw FormatError(description: "NumPy format version \(bytes[6]) is not known")
        }
        let start = wide ? 12 : 10
        let length = (8..<start).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
        guard length <= bytes.count - start else { throw FormatError(description: "the NumPy header is truncated") }
        // NumPy's own headers are ASCII and take some hundred bytes; text beyond that would only be slow to search.
        guard length <= Self.maximumHeaderBytes, bytes[start..<start + length].allSatisfy({ $0 < 128 }) else {
            throw FormatError(description: "the NumPy header is not at most \(Self.maximumHeaderBytes) bytes of ASCII")
        }
        let header = NumPyHeader(String(decoding: bytes[start..<start + length], as: UTF8.self))
        guard let name = header.value(of: "descr"), let type = ElementType(name) else {
            throw FormatError(description: "NumPy element type \(header.value(of: "descr")?.prefix(16) ?? "is missing and") is not supported")
        }
        guard header.value(of: "fortran_order") == "False" else { throw FormatError(description: "the NumPy array is not in C order") }
        guard let shape = header.shape else { throw FormatError(description: "the NumPy header has no readable shape") }
        var expected = type.bytes
        for extent in shape {
            let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw FormatError(description: "the NumPy shape \(shape) is too large") }
            expected = product
        }
        guard bytes.count - start - length == expected else {
            throw FormatError(description: "a NumPy array of shape \(shape) has \(expected) bytes of data, got \(bytes.count - start - length)")
        }
        (self.type, self.shape, data) = (type, shape, Array(bytes[(start + length)...]))
    }

    /// The whole file.
    package func serialized() -> [UInt8] {
        let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var header = "{'descr': '\(type.name)', 'fortran_order': False, 'shape': (\(extents)), }"
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        let length = header.utf8.count
        return Self.magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8) + data
    }

    /// The elements of an integer array, those beyond 63 bits as the largest of 63; nil when it holds floats.
    package var integers: [Int64]? {
        switch type.kind {
        case .signed:
            let spare = UInt64(64 - 8 * type.bytes)
            return elements { Int64(bitPattern: $0 << spare) >> Int64(spare) }
        case .unsigned: return elements { Int64(clamping: $0) }
        case .float: return nil
        }
    }

    /// The elements of a float array; nil when it holds integers.
    package var floats: [Float]? {
        type.kind == .float ? elements { Float(bitPattern: UInt32($0)) } : nil
    }

    /// - Parameter convert: takes an element's bits.
    private func elements<Element>(_ convert: (UInt64) -> Element) -> [Element] {
        data.withUnsafeBufferPointer { data in
            (0..<count).map { index in
                let bytes = UnsafeBufferPointer(rebasing: data[index * type.bytes..<(index + 1) * type.bytes])
                return convert(
                    type.isBigEndian ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
            }
        }
    }
}

/// The Python dictionary literal at the start of a `.npy` file; only the three known keys are looked for.
private struct NumPyHeader {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    /// The bare or quoted word after `'key':`.
    func value(of key: String) -> String? {
        rest(after: key).map { rest in
            String(rest.drop { $0 == " " || $0 == "'" }.prefix { $0 != "'" && $0 != "," && $0 != " " && $0 != "}" })
        }
    }

    var shape: [Int]? {
        guard let rest = rest(after: "shape")?.drop(while: { $0 == " " }), rest.first == "(", let close = rest.firstIndex(of: ")") else {
            return nil
        }
        let parts = rest[rest.index(after: rest.startIndex)..<close].split(separator: ",").map { $0.filter { $0 != " " } }
        let extents = parts.filter { !$0.isEmpty }.map { Int($0) }
        guard extents.count <= 8, extents.allSatisfy({ ($0 ?? -1) >= 0 }) else { return nil }
        return extents.map { $0! }
    }

    private func rest(after key: String) -> Substring? {
        let mark = "'\(key)':"
        guard let range = text.firstRange(of: mark) else { return nil }
        return text[range.upperBound...]
    }
}
