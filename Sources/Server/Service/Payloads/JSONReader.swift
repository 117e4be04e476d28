import HTTPTransport

/// Reads JSON (RFC 8259) as the caller's schema expects it, value by value.
///
/// Nothing is built that the caller did not ask for, so memory is bounded by the text and nesting by the schema. Unlike a general
/// decoder it refuses fields that nobody reads, fields that occur twice, and numbers with a fraction where integers belong.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads a whole document that is one object; see ``readObject(_:named:_:)``.
    static func readDocument(
        _ bytes: [UInt8], fields: [String], _ read: (String, inout JSONReader) throws(PayloadError) -> Void
    ) throws(PayloadError) {
        var reader = JSONReader(bytes)
        try reader.readObject(fields, named: "the document", read)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.malformed("nothing after the document's end") }
    }

    /// Reads an object; calls `read` with the name of each field when its value is next.
    /// - Parameter fields: the names that may occur, each at most once; nil for any.
    mutating func readObject(
        _ fields: [String]?, named name: String, _ read: (String, inout JSONReader) throws(PayloadError) -> Void
    ) throws(PayloadError) {
        try open("{", name, "an object")
        var seen: Set<String> = []
        while try hasNext(before: "}", isFirst: seen.isEmpty) {
            guard next == UInt8(ascii: "\"") else { throw malformed("a field's name in quotes") }
            let field = try readName(of: name, fields)
            guard seen.insert(field).inserted else { throw .invalid("the field \"\(field)\" occurs twice") }
            skipSpace()
            guard take(":") else { throw malformed("\":\" after \"\(field)\"") }
            try read(field, &self)
        }
    }

    /// Reads an array of integers.
    /// - Throws: ``PayloadError/invalid(_:)`` if it has more than `maximum`, or an element is no integer.
    mutating func readIntegers(_ name: String, atMost maximum: Int) throws(PayloadError) -> [Int] {
        try open("[", name, "an array of integers")
        var values: [Int] = []
        while try hasNext(before: "]", isFirst: values.isEmpty) {
            guard values.count < maximum else { throw .invalid("\(name) has more than \(maximum) values") }
            values.append(try readInteger("\(name)[\(values.count)]"))
        }
        return values
    }

    /// Whether the value that comes next is an array.
    mutating func isAtArray() -> Bool {
        skipSpace()
        return next == UInt8(ascii: "[")
    }

    /// Reads an array, each element by `read`, which gets the element's name.
    /// - Throws: ``PayloadError/tooMany(_:)`` if it has more than `maximum`.
    mutating func readArray<Element>(
        _ name: String, of kind: String, atMost maximum: Int, _ read: (String, inout JSONReader) throws(PayloadError) -> Element
    ) throws(PayloadError) -> [Element] {
        try open("[", name, "an array of \(kind)")
        var values: [Element] = []
        while try hasNext(before: "]", isFirst: values.isEmpty) {
            guard values.count < maximum else { throw .tooMany("\(name) has more than \(maximum) elements") }
            values.append(try read("\(name)[\(values.count)]", &self))
        }
        return values
    }

    /// Reads an array of integers, or of arrays of integers.
    /// - Throws: ``PayloadError/tooMany(_:)`` if there are more than `lists` of these.
    mutating func readIntegerLists(_ name: String, atMost maximum: Int, lists: Int) throws(PayloadError) -> (lists: [[Int]], isNested: Bool) {
        let start = position
        try open("[", name, "an array of integers")
        let isNested = isAtArray()
        position = start
        guard isNested else { return ([try readIntegers(name, atMost: maximum)], false) }
        let lists = try readArray(name, of: "arrays", atMost: lists) { name, reader throws(PayloadError) in
            try reader.readIntegers(name, atMost: maximum)
        }
        return (lists, true)
    }

    /// Reads a string that stands for bytes in base64, one of several: where it does not, the rest of it is passed over.
    mutating func readBase64(inListAs name: String) throws(PayloadError) -> Result<[UInt8], PayloadError> {
        let start = position
        do throws(PayloadError) {
            return .success(try readBase64(name))
        } catch {
            guard case .invalid = error else { throw error }
            position = start
            _ = try readStringBytes(name)
            return .failure(error)
        }
    }

    /// Reads an object whose fields may have any names, but not any number of them: each is remembered, so that none occurs twice.
    mutating func readAnyObject(
        named name: String, _ read: (String, inout JSONReader) throws(PayloadError) -> Void
    ) throws(PayloadError) {
        let most = 64
        var count = 0
        try readObject(nil, named: name) { field, reader throws(PayloadError) in
            count += 1
            guard count <= most else { throw .invalid("\(name) has more than \(most) fields") }
            try read(field, &reader)
        }
    }

    /// Reads numbers or strings in an array, or in arrays of arrays, in their order.
    mutating func readTensor(_ name: String) throws(PayloadError) -> InferenceTensor.Content {
        var elements = TensorElements()
        try readTensor(name, depth: 0, into: &elements)
        return elements.content
    }

    private mutating func readTensor(_ name: String, depth: Int, into elements: inout TensorElements) throws(PayloadError) {
        guard depth < TensorElements.mostDimensions else { throw .invalid("\(name) has more than \(TensorElements.mostDimensions) dimensions") }
        try open("[", name, "an array")
        var isFirst = true
        while try hasNext(before: "]", isFirst: isFirst) {
            isFirst = false
            switch next {
            case UInt8(ascii: "["): try readTensor(name, depth: depth + 1, into: &elements)
            case UInt8(ascii: "\""): try elements.add(text: Array(try readStringBytes(name)), to: name)
            default: try elements.add(number: try readNumber(name), to: name)
            }
        }
    }

    /// Reads a number as it is written.
    private mutating func readNumber(_ name: String) throws(PayloadError) -> Substring {
        skipSpace()
        let start = position
        _ = take("-")
        guard next?.isDigit == true else {
            position = start
            throw wrongKind(name, "numbers or strings")
        }
        while let byte = next,
            byte.isDigit || [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-")].contains(byte)
        {
            position += 1
        }
        return Substring(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Reads an integer written without fraction or exponent.
    mutating func readInteger(_ name: String) throws(PayloadError) -> Int {
        skipSpace()
        let start = position
        _ = take("-")
        let digits = position
        while next?.isDigit == true { position += 1 }
        guard position > digits else {
            position = start
            throw wrongKind(name, "an integer")
        }
        guard position == digits + 1 || bytes[digits] != UInt8(ascii: "0") else { throw malformed("a number without leading zeros") }
        if next == UInt8(ascii: ".") || next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            throw .invalid("\(name) is written with a fraction or an exponent; expected an integer")
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Int(text) else { throw .invalid("\(name) is \(text.shortened), which is far outside every range") }
        return value
    }

    /// Reads a string; or an integer, `true` or `false` as it is written.
    mutating func readText(_ name: String) throws(PayloadError) -> String {
        skipSpace()
        for word in ["true", "false"] where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return word
        }
        return next == UInt8(ascii: "\"") ? try readString(name) : "\(try readInteger(name))"
    }

    mutating func readString(_ name: String) throws(PayloadError) -> String {
        guard let text = String(validating: try readStringBytes(name), as: UTF8.self) else {
            throw .malformed("\(name) is not valid UTF-8")
        }
        return text
    }

    /// Reads a string that stands for bytes in base64. Ends at the first character that does not belong, before anything is built of the rest.
    mutating func readBase64(_ name: String) throws(PayloadError) -> [UInt8] {
        try openString(name)
        try skipDataURL(name)
        var decoder = Base64Decoder(characters: bytes.count - position)
        while true {
            position += bytes[position...].withUnsafeBufferPointer { decoder.take($0) }
            while take("\\") { try decoder.take(try readEscape()) }
            if take("\"") { return try decoder.finished() }
            guard let byte = next, byte >= 0x20 else { throw malformed("the end of the string \(name)") }
            if !decoder.accepts(byte) { throw decoder.refusal }
        }
    }

    /// Passes what stands before the bytes in a data URL (RFC 2397): `data:image/png;base64,`.
    private mutating func skipDataURL(_ name: String) throws(PayloadError) {
        let longest = 256
        guard bytes[position...].starts(with: "data:".utf8) else { return }
        guard let comma = bytes[position...].prefix(longest).firstIndex(of: UInt8(ascii: ",")),
            bytes[position..<comma].suffix(7).elementsEqual(";base64".utf8)
        else { throw .invalid("\(name) is a data URL that is not in base64") }
        position = comma + 1
    }

    /// Reads the name of a field, one of `fields`. Of a name longer than any, only as much is read as shows it.
    private mutating func readName(of object: String, _ fields: [String]?) throws(PayloadError) -> String {
        let longest = 256
        let bytes = try readStringBytes("a field's name", atMost: longest)
        let isTooLong = bytes.count > longest
        guard let field = isTooLong ? String(decoding: bytes.prefix(longest), as: UTF8.self) : String(validating: bytes, as: UTF8.self) else {
            throw .malformed("a field's name is not valid UTF-8")
        }
        guard !isTooLong, fields?.contains(field) != false else {
            let expected = fields?.joined(separator: ", ") ?? "a shorter name"
            throw .invalid("\(object) has an unknown field \"\(field.shortened)\"; expected \(expected)")
        }
        return field
    }

    /// Reads a string as UTF-8 bytes, escapes resolved, not validated. Without escapes these are the document's own.
    /// - Parameter maximum: where escapes make more bytes than this, the rest is not read.
    private mutating func readStringBytes(_ name: String, atMost maximum: Int = .max) throws(PayloadError) -> ArraySlice<UInt8> {
        try openString(name)
        let start = position
        skipPlain()
        if take("\"") { return bytes[start..<position - 1] }
        var text = Array(bytes[start..<position])
        while text.count <= maximum, !take("\"") {
            guard take("\\") else { throw malformed("the end of the string \(name)") }
            let scalar = try readEscape()
            if scalar.isASCII { text.append(UInt8(scalar.value)) } else { text += String(scalar).utf8 }
            let run = position
            skipPlain()
            text += bytes[run..<position]
        }
        return text[...]
    }

    private mutating func openString(_ name: String) throws(PayloadError) {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw wrongKind(name, "a string") }
        position += 1
    }

    /// Moves past the bytes of a string that stand for themselves.
    private mutating func skipPlain() {
        position += bytes[position...].withUnsafeBufferPointer { rest in
            rest.firstIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 } ?? rest.count
        }
    }

    /// What a backslash and the characters from here stand for.
    private mutating func readEscape() throws(PayloadError) -> Unicode.Scalar {
        guard let byte = next else { throw malformed("an escape sequence") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try readScalar()
        default: throw malformed("an escape sequence")
        }
    }

    private mutating func readScalar() throws(PayloadError) -> Unicode.Scalar {
        let unit = try readHex()
        guard (0xD800..<0xDC00).contains(unit) else {
            guard let scalar = Unicode.Scalar(unit) else { throw malformed("a surrogate pair") }
            return scalar
        }
        guard take("\\"), take("u") else { throw malformed("a surrogate pair") }
        let low = try readHex()
        guard (0xDC00..<0xE000).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) else {
            throw malformed("a surrogate pair")
        }
        return scalar
    }

    private mutating func readHex() throws(PayloadError) -> UInt32 {
        guard bytes.count - position >= 4, let first = bytes[position].hexValue, let second = bytes[position + 1].hexValue,
            let third = bytes[position + 2].hexValue, let fourth = bytes[position + 3].hexValue
        else { throw malformed("four hexadecimal digits") }
        position += 4
        return UInt32(first) << 12 | UInt32(second) << 8 | UInt32(third) << 4 | UInt32(fourth)
    }

    private mutating func open(_ bracket: Unicode.Scalar, _ name: String, _ kind: String) throws(PayloadError) {
        skipSpace()
        guard take(bracket) else { throw wrongKind(name, kind) }
    }

    /// Passes a comma or the closing bracket.
    private mutating func hasNext(before bracket: Unicode.Scalar, isFirst: Bool) throws(PayloadError) -> Bool {
        skipSpace()
        if take(bracket) { return false }
        guard isFirst || take(",") else { throw malformed("\",\" or \"\(bracket)\"") }
        skipSpace()
        return true
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// A value of another JSON kind is a wrong value; anything else is not JSON.
    private func wrongKind(_ name: String, _ expected: String) -> PayloadError {
        let kinds: [UInt8: String] = [
            UInt8(ascii: "{"): "an object", UInt8(ascii: "["): "an array", UInt8(ascii: "\""): "a string",
            UInt8(ascii: "t"): "true", UInt8(ascii: "f"): "false", UInt8(ascii: "n"): "null",
        ]
        guard let byte = next, let found = byte.isDigit ? "a number" : kinds[byte] else {
            return malformed("\(expected) for \(name)")
        }
        return .invalid("\(name) is \(found); expected \(expected)")
    }

    private func malformed(_ expected: String) -> PayloadError {
        .malformed("not valid JSON at byte \(position): expected \(expected)")
    }
}
