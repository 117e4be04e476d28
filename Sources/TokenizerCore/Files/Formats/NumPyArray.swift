/// An array in NumPy's `.npy` format: C order, little-endian.
///
/// Source: NumPy format description, versions 1.0 to 3.0.
package struct NumPyArray: Sendable, Equatable {
    /// The element types that are read and written.
    package enum ElementType: String, Sendable {
        case uint8 = "|u1"
        case uint16 = "<u2"
        case uint32 = "<u4"
        case int32 = "<i4"
        case int64 = "<i8"
        case float32 = "<f4"

        var bytes: Int {
            switch self {
            case .uint8: 1
            case .uint16: 2
            case .uint32, .int32, .float32: 4
            case .int64: 8
            }
        }

        /// The values in this type, little-endian.
        /// - Precondition: they are integers that it holds.
        package func bytes(of values: [Int32]) -> [UInt8] {
            func stored<Stored: FixedWidthInteger>(_: Stored.Type) -> [UInt8] {
                values.map { Stored($0).littleEndian }.withUnsafeBytes { Array($0) }
            }
            return switch self {
            case .uint8: stored(UInt8.self)
            case .uint16: stored(UInt16.self)
            case .uint32: stored(UInt32.self)
            case .int32: stored(Int32.self)
            case .int64: stored(Int64.self)
            case .float32: preconditionFailure("integers are not stored as \(rawValue)")
            }
        }
    }

    /// What is wrong with the bytes, in one line.
    package struct FormatError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private static let maximumHeaderBytes = 4096

    package let type: ElementType
    package let shape: [Int]
    /// The elements' bytes, little-endian, row-major.
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

    /// - Throws: when the bytes are not a whole `.npy` file of one of the element types above.
    package init(parsing bytes: [UInt8]) throws(FormatError) {
        let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
        guard bytes.count >= 10, Array(bytes[0..<6]) == magic else {
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
        guard let name = header.value(of: "descr"), let type = ElementType(rawValue: name) else {
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
        var header = "{'descr': '\(type.rawValue)', 'fortran_order': False, 'shape': (\(extents)), }"
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        let length = header.utf8.count
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8) + data
    }

    /// The elements of an integer array; nil when it holds floats.
    package var integers: [Int64]? {
        switch type {
        case .uint8: data.map(Int64.init)
        case .uint16: elements { (value: UInt16) in Int64(UInt16(littleEndian: value)) }
        case .uint32: elements { (value: UInt32) in Int64(UInt32(littleEndian: value)) }
        case .int32: elements { (value: Int32) in Int64(Int32(littleEndian: value)) }
        case .int64: elements { (value: Int64) in Int64(littleEndian: value) }
        case .float32: nil
        }
    }

    /// The elements of a 32-bit float array; nil when it holds integers.
    package var floats: [Float]? {
        type == .float32 ? elements { (bits: UInt32) in Float(bitPattern: UInt32(littleEndian: bits)) } : nil
    }

    private func elements<Stored: BitwiseCopyable, Element>(_ convert: (Stored) -> Element) -> [Element] {
        data.withUnsafeBytes { bytes in
            (0..<count).map { convert(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.stride, as: Stored.self)) }
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
