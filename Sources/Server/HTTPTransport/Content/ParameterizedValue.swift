/// A header value with parameters, such as `form-data; name="image"` (RFC 9110 §5.6.6).
struct ParameterizedValue: Equatable {
    /// What stands before the first semicolon, in lower case.
    let value: String
    /// Names in lower case, values unquoted.
    let parameters: [String: String]

    /// - Returns: nil if a parameter is malformed or occurs twice.
    init?(parsing text: some StringProtocol) {
        let fields = Self.split(Array(text.utf8))
        var parameters: [String: String] = [:]
        for field in fields.dropFirst() where !field.isEmpty {
            guard let equals = field.firstIndex(of: UInt8(ascii: "=")), let value = Self.unquoted(field[(equals + 1)...]) else {
                return nil
            }
            let key = String(decoding: field[..<equals], as: UTF8.self).lowercased()
            guard !key.isEmpty, parameters.updateValue(value, forKey: key) == nil else { return nil }
        }
        value = String(decoding: fields[0], as: UTF8.self).lowercased()
        self.parameters = parameters
    }

    /// The pieces between semicolons outside quotes, without white space around them.
    private static func split(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        var isQuoted = false
        var isEscaped = false
        for (index, byte) in text.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ";"), !isQuoted {
                pieces.append(text[start..<index].trimmingBlanks())
                start = index + 1
            }
        }
        return pieces + [text[start...].trimmingBlanks()]
    }

    /// A token as it is, a quoted string without its quotes and escapes.
    private static func unquoted(_ text: ArraySlice<UInt8>) -> String? {
        guard text.first == UInt8(ascii: "\"") else {
            guard !text.isEmpty, text.allSatisfy(\.isTokenCharacter) else { return nil }
            return String(decoding: text, as: UTF8.self)
        }
        guard text.count >= 2, text.last == UInt8(ascii: "\"") else { return nil }
        var value: [UInt8] = []
        var isEscaped = false
        for byte in text.dropFirst().dropLast() {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
            } else {
                guard isEscaped || byte != UInt8(ascii: "\"") else { return nil }
                value.append(byte)
                isEscaped = false
            }
        }
        return isEscaped ? nil : String(validating: value, as: UTF8.self)
    }
}
