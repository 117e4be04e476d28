/// The character classes of RFC 9110 §5.6 and the field line both heads and trailers are made of.
enum HTTP1Grammar {
    /// `tchar`: what methods and field names consist of.
    static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "^")...UInt8(ascii: "z"), UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "|"),
            UInt8(ascii: "~"):
            true
        default:
            false
        }
    }

    /// VCHAR, blank or obs-text: everything but the control characters, among them CR and NUL.
    static func isFieldCharacter(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\t")
    }

    /// Splits `name: value`.
    /// - Throws: 400 for anything that two parsers might read differently (RFC 9112 §5.1, §5.2).
    static func field(_ line: ArraySlice<UInt8>) throws(HTTPError) -> HTTPHeaders.Field {
        guard line.first?.isBlank == false else {
            throw HTTPError(.badRequest, "a header field is continued on a second line; each must be one line")
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw HTTPError(.badRequest, "a header field has no colon; expected name: value")
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(isTokenCharacter) else {
            throw HTTPError(
                .badRequest, "a header field's name is empty or has a character that names cannot have, such as a space")
        }
        var value = line[(colon + 1)...]
        while value.first?.isBlank == true { value.removeFirst() }
        while value.last?.isBlank == true { value.removeLast() }
        guard value.allSatisfy(isFieldCharacter), let text = String(validating: value, as: UTF8.self) else {
            throw HTTPError(.badRequest, "a header field's value has a control character or is not UTF-8")
        }
        return HTTPHeaders.Field(name: String(decoding: name, as: UTF8.self), value: text)
    }
}
