/// Reads field lines up to the empty line that ends them: a header section or a trailer section.
struct HTTP1FieldReader {
    private(set) var fields: [HTTPHeaders.Field] = []
    private var remainingBytes: Int
    private let maximumFields: Int

    /// - Parameter bytes: what the section may take, line ends included.
    init(bytes: Int, limits: HTTPLimits) {
        remainingBytes = bytes
        maximumFields = limits.headerFields
    }

    /// Takes what has arrived.
    /// - Returns: whether the section is complete.
    /// - Throws: 431 for too many or too long fields, 400 for malformed ones.
    mutating func read(from input: inout InputBuffer) throws(HTTPError) -> Bool {
        while let line = try input.line(
            limit: remainingBytes,
            tooLong: HTTPError(.requestHeaderFieldsTooLarge, "the header fields are larger than this server accepts"))
        {
            if line.isEmpty { return true }
            remainingBytes = max(0, remainingBytes - line.count - 2)
            fields.append(try Self.field(line))
            guard fields.count <= maximumFields else {
                throw HTTPError(.requestHeaderFieldsTooLarge, "more than \(maximumFields) header fields")
            }
        }
        return false
    }

    /// Splits `name: value`.
    /// - Throws: 400 for anything that two parsers might read differently (RFC 9112 §5.1, §5.2).
    static func field(_ line: ArraySlice<UInt8>) throws(HTTPError) -> HTTPHeaders.Field {
        let name = try name(line)
        let value = line[(line.startIndex + name.utf8.count + 1)...].trimmingBlanks()
        guard value.allSatisfy(\.isFieldCharacter), let text = String(validating: value, as: UTF8.self) else {
            throw HTTPError(.badRequest, "a header field's value has a control character or is not UTF-8")
        }
        return HTTPHeaders.Field(name: name, value: text)
    }

    /// What stands before the colon of a line, of which the end may be missing.
    /// - Throws: 400 as `field` does.
    static func name(_ line: ArraySlice<UInt8>) throws(HTTPError) -> String {
        guard line.first?.isBlank == false else {
            throw HTTPError(.badRequest, "a header field is continued on a second line; each must be one line")
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw HTTPError(.badRequest, "a header field has no colon; expected name: value")
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(\.isTokenCharacter) else {
            throw HTTPError(
                .badRequest, "a header field's name is empty or has a character that names cannot have, such as a space")
        }
        return String(decoding: name, as: UTF8.self)
    }
}

extension InputBuffer {
    /// The next line without its CRLF, or `nil` while it is incomplete.
    mutating func line(limit: Int, tooLong: @autoclosure () -> HTTPError) throws(HTTPError) -> ArraySlice<UInt8>? {
        switch takeLine(limit: limit) {
        case .complete(let line): return line
        case .incomplete: return nil
        case .tooLong: throw tooLong()
        case .bareLineFeed: throw HTTPError(.badRequest, "a line ends in LF alone; expected CR LF")
        }
    }
}
