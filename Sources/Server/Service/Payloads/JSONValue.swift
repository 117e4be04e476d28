/// A JSON document to be written (RFC 8259).
///
/// Foundation's encoder takes as long for the tokens of a picture as a quarter of their computation.
enum JSONValue: Equatable {
    case string(String)
    case integer(Int)
    /// Of a finite number.
    case number(Double)
    /// A string of them in base64.
    case bytes([UInt8])
    case boolean(Bool)
    case integers([Int32])
    case array([JSONValue])
    case object([String: JSONValue])

    /// The text with sorted fields, so that equal answers are equal bytes, and a line break at its end.
    var bytes: [UInt8] {
        var text = JSONText()
        text.write(self)
        return text.bytes + [UInt8(ascii: "\n")]
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
    init(stringLiteral text: String) { self = .string(text) }

    init(dictionaryLiteral fields: (String, JSONValue)...) { self = .object(Dictionary(uniqueKeysWithValues: fields)) }
}

/// JSON as it is written.
private struct JSONText {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ value: JSONValue) {
        switch value {
        case .string(let text): write(text)
        case .integer(let number): write(number)
        case .number(let number): bytes += "\(number)".utf8
        case .bytes(let content): write(base64: content)
        case .boolean(let value): bytes += (value ? "true" : "false").utf8
        case .integers(let numbers):
            // Five digits and a comma do for most; more make it grow.
            bytes.reserveCapacity(bytes.count + 6 * numbers.count)
            list(numbers, "[", "]") { $0.write(Int($1)) }
        case .array(let values): list(values, "[", "]") { $0.write($1) }
        case .object(let fields):
            list(fields.sorted { $0.key < $1.key }, "{", "}") { text, field in
                text.write(field.key)
                text.bytes.append(UInt8(ascii: ":"))
                text.write(field.value)
            }
        }
    }

    private mutating func list<Element>(
        _ elements: [Element], _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ write: (inout JSONText, Element) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(&self, element)
        }
        bytes.append(UInt8(ascii: close))
    }

    private mutating func write(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let first = bytes.count
        var rest = number.magnitude
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[first...].reverse()
    }

    /// Source: RFC 4648 §4.
    private mutating func write(base64 content: [UInt8]) {
        bytes.reserveCapacity(bytes.count + (content.count + 2) / 3 * 4 + 2)
        bytes.append(UInt8(ascii: "\""))
        for start in stride(from: 0, to: content.count, by: 3) {
            let group = content[start..<min(start + 3, content.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 { bytes.append(place <= group.count ? Self.alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "=")) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += #"\n"#.utf8
            case UInt8(ascii: "\r"): bytes += #"\r"#.utf8
            case UInt8(ascii: "\t"): bytes += #"\t"#.utf8
            case 0..<0x20: bytes += (byte < 0x10 ? #"\u000"# : #"\u00"#).utf8 + Array(String(byte, radix: 16).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
