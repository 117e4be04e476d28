import FoundationEssentials
import Testing

@testable import Service

@Suite struct JSONValueTests {
    @Test func isWrittenWithSortedFields() {
        let value: JSONValue = [
            "b": .integers([0, -7, 16_383, .max, .min]), "a": ["y": .boolean(true), "x": .integer(.min)], "c": .array([.integers([]), "é/"]),
        ]
        let text = #"{"a":{"x":-9223372036854775808,"y":true},"b":[0,-7,16383,2147483647,-2147483648],"c":[[],"é/"]}"#
        #expect(String(decoding: value.bytes, as: UTF8.self) == text + "\n")
    }

    @Test func everyCharacterIsReadAgain() throws {
        let scalars: [Unicode.Scalar] = (0..<0x250).compactMap(Unicode.Scalar.init) + ["\u{2028}", "\u{FFFD}", "\u{1F600}"]
        let text = String(String.UnicodeScalarView(scalars))
        let read = try JSONDecoder().decode([String: String].self, from: Data(JSONValue.object([text: .string(text)]).bytes))
        #expect(read == [text: text])
    }
}
