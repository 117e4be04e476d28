import HTTPTransport

/// A tensor of the Open Inference Protocol as a request brings it.
struct InferenceTensor: Equatable {
    /// The protocol's types that tensors here can have.
    enum DataType: String, CaseIterable {
        case bytes = "BYTES"
        case uint8 = "UINT8"
        case uint16 = "UINT16"
        case uint32 = "UINT32"
        case uint64 = "UINT64"
        case int8 = "INT8"
        case int16 = "INT16"
        case int32 = "INT32"
        case int64 = "INT64"
        case float32 = "FP32"

        /// Of an element; nil where elements have lengths of their own.
        var size: Int? {
            switch self {
            case .bytes: nil
            case .uint8, .int8: 1
            case .uint16, .int16: 2
            case .uint32, .int32, .float32: 4
            case .uint64, .int64: 8
            }
        }

        var isSigned: Bool { [.int8, .int16, .int32, .int64].contains(self) }
        var isInteger: Bool { self != .bytes && self != .float32 }
    }

    enum Content: Equatable {
        case integers([Int])
        case floats([Float])
        case texts([[UInt8]])
        /// Row-major and little-endian, as they lie in the body; of `BYTES` with the length of each before it in 4 bytes.
        case raw(ArraySlice<UInt8>)
    }

    let name: String
    let type: DataType
    let shape: [Int]
    var content: Content

    /// How many elements; at most ``mostElements``.
    var count: Int { shape.reduce(1, *) }

    /// A body has fewer.
    static let mostElements = 1 << 30

    /// - Throws: unless the shape says how many elements there are.
    init(_ name: String, _ type: String, _ shape: [Int], _ content: Content) throws(PayloadError) {
        guard let known = DataType(rawValue: type) else {
            let types = DataType.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid("the datatype of \(name) is \"\(type.shortened)\"; expected one of \(types)")
        }
        (self.name, self.type, self.shape, self.content) = (name, known, shape, content)
        var count = 1
        for extent in shape {
            guard extent >= 0, count == 0 || extent <= Self.mostElements / count else { throw .invalid("the shape of \(name) is \(shape)") }
            count *= extent
        }
        try check(count)
    }

    private func check(_ count: Int) throws(PayloadError) {
        switch content {
        case .integers(let values): try check(values.count, of: count, fits: type != .bytes || values.isEmpty)
        case .floats(let values): try check(values.count, of: count, fits: type == .float32)
        case .texts(let values): try check(values.count, of: count, fits: type == .bytes)
        case .raw(let bytes):
            guard let size = type.size else { return }
            guard bytes.count == size * count else {
                throw .invalid("\(name) has \(bytes.count) bytes; its shape \(shape) of \(type.rawValue) takes \(size * count)")
            }
        }
    }

    private func check(_ found: Int, of count: Int, fits: Bool) throws(PayloadError) {
        guard fits else { throw .invalid("the data of \(name) is not of its datatype \(type.rawValue)") }
        guard found == count else { throw .invalid("\(name) has \(found) elements; its shape \(shape) says \(count)") }
    }

    /// Of integers of any type.
    func integers() throws(PayloadError) -> [Int] {
        switch content {
        case .integers(let values) where type.isInteger: return values
        case .raw(let bytes) where type.isInteger:
            let size = type.size!
            return try stride(from: bytes.startIndex, to: bytes.endIndex, by: size).map { start throws(PayloadError) in
                try integer(bytes[start..<start + size])
            }
        default: throw .invalid("the datatype of \(name) is \(type.rawValue); expected integers")
        }
    }

    private func integer(_ bytes: ArraySlice<UInt8>) throws(PayloadError) -> Int {
        let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let spare = UInt64(64 - 8 * bytes.count)
        if type.isSigned { return Int(Int64(bitPattern: bits << spare) >> Int64(spare)) }
        guard let value = Int(exactly: bits) else { throw .invalid("\(name) has \(bits), which is far outside every range") }
        return value
    }

    /// Of `FP32`.
    func floats() throws(PayloadError) -> [Float] {
        switch content {
        case .floats(let values): return values
        case .integers(let values) where type == .float32: return values.map { Float($0) }
        case .raw(let bytes) where type == .float32:
            return stride(from: bytes.startIndex, to: bytes.endIndex, by: 4).map { start in
                Float(bitPattern: bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            }
        default: throw .invalid("the datatype of \(name) is \(type.rawValue); expected FP32")
        }
    }

    /// Of `BYTES`: where each element's bytes lie; from JSON, where they are base64, each with why it is none.
    func files() throws(PayloadError) -> [Result<ArraySlice<UInt8>, PayloadError>] {
        switch content {
        case .texts(let texts):
            return texts.map { text in
                Result { () throws(PayloadError) in try Base64Decoder.decode(text, named: name)[...] }
            }
        case .raw(let bytes) where type == .bytes: return try elements(of: bytes)
        default: throw .invalid("the datatype of \(name) is \(type.rawValue); expected BYTES")
        }
    }

    private func elements(of bytes: ArraySlice<UInt8>) throws(PayloadError) -> [Result<ArraySlice<UInt8>, PayloadError>] {
        var elements: [Result<ArraySlice<UInt8>, PayloadError>] = []
        var rest = bytes
        while !rest.isEmpty, elements.count < count {
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4 + length else {
                throw .invalid("element \(elements.count) of \(name) is to have \(length) bytes, more than there are")
            }
            elements.append(.success(rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(4 + length)
        }
        guard rest.isEmpty, elements.count == count else {
            throw .invalid("\(name) has \(elements.count) elements\(rest.isEmpty ? "" : " and more"); its shape \(shape) says \(count)")
        }
        return elements
    }
}
