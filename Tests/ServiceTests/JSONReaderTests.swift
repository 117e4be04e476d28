import TestSupport
import Testing

@testable import Service

@Suite struct JSONReaderTests {
    /// Reads `{"n": integer, "s": string, "a": [integers]}`, every field optional.
    private func read(_ text: String) throws(PayloadError) -> (n: Int?, s: String?, a: [Int]?) {
        try read(Array(text.utf8))
    }

    private func read(_ bytes: [UInt8]) throws(PayloadError) -> (n: Int?, s: String?, a: [Int]?) {
        var result: (n: Int?, s: String?, a: [Int]?)
        try JSONReader.readDocument(bytes, fields: ["n", "s", "a"]) { field, reader throws(PayloadError) in
            switch field {
            case "n": result.n = try reader.readInteger(field)
            case "s": result.s = try reader.readString(field)
            default: result.a = try reader.readIntegers(field, atMost: 4)
            }
        }
        return result
    }

    private func reason(_ text: String) -> String? {
        do {
            _ = try read(text)
            return nil
        } catch { return error.reason }
    }

    @Test func readsWhatItKnows() throws {
        let result = try read(" {\"n\" : -12,\n\"a\":[ 1 , 2,3 ],\t\"s\":\"x\" } \r\n")
        #expect(result.n == -12)
        #expect(result.s == "x")
        #expect(result.a == [1, 2, 3])
        #expect(try read("{}") == (nil, nil, nil))
        #expect(try read("{\"a\":[]}").a == [])
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u00e9\u20AC""#, "é€"),
        (#""\ud83d\ude00""#, "😀"),
        (#""é😀""#, "é😀"),
        (#""""#, ""),
    ])
    func readsEscapes(written: String, expected: String) throws {
        #expect(try read("{\"s\":\(written)}").s == expected)
    }

    @Test(arguments: [
        "", " ", "{", "}", "x", "{\"n\"}", "{\"n\":}", "{\"n\":1", "{\"n\":1,}", "{,}", "{\"n\" 1}", "{n:1}", "{'n':1}", "{\"n\":01}",
        "{\"n\":-}", "{\"n\":+1}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":[,1]}", "{\"a\":[", "{\"s\":\"", "{\"s\":\"\\\"}", "{\"s\":\"\\x\"}",
        "{\"s\":\"\\u12\"}", "{\"s\":\"\\u+123\"}", "{\"s\":\"\\ud800\"}", "{\"s\":\"\\ud800\\u0041\"}", "{\"s\":\"\\udc00\"}", "{\"s\":\"\n\"}",
        "{} {}", "{}x", "{\"n\":1}\0",
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect { try read(text) } throws: { error in
            if case .malformed = error as? PayloadError { true } else { false }
        }
    }

    @Test func refusesInvalidUTF8() {
        #expect(throws: PayloadError.self) { try read(Array("{\"s\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)) }
    }

    @Test func saysWhichValueIsWrong() {
        #expect(reason("{\"a\":[1,2.5]}") == "a[1] is written with a fraction or an exponent; expected an integer")
        #expect(reason("{\"a\":[1e3]}") == "a[0] is written with a fraction or an exponent; expected an integer")
        #expect(reason("{\"n\":99999999999999999999}") == "n is 99999999999999999999, which is far outside every range")
        #expect(reason("{\"n\":\"1\"}") == "n is a string; expected an integer")
        #expect(reason("{\"n\":null}") == "n is null; expected an integer")
        #expect(reason("{\"n\":true}") == "n is true; expected an integer")
        #expect(reason("{\"n\":[1]}") == "n is an array; expected an integer")
        #expect(reason("{\"a\":{}}") == "a is an object; expected an array of integers")
        #expect(reason("{\"a\":7}") == "a is a number; expected an array of integers")
        #expect(reason("[]") == "the document is an array; expected an object")
        #expect(reason("{\"a\":[1,2,3,4,5]}") == "a has more than 4 values")
        #expect(reason("{\"n\":1,\"n\":1}") == "the field \"n\" occurs twice")
        #expect(reason("{\"x\":1}") == "the document has an unknown field \"x\"; expected n, s, a")
        #expect(reason("{\"n\":1 \"s\"}") == "not valid JSON at byte 7: expected \",\" or \"}\"")
    }

    @Test func aDeepDocumentIsRefusedAtItsFirstLevel() {
        #expect(throws: PayloadError.self) { try read(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: PayloadError.self) { try read("{\"a\":" + String(repeating: "[", count: 1_000_000)) }
    }

    @Test func survivesDamagedDocuments() {
        var random = TestRandom(seed: 1)
        let document = Array(#"{"n":-120,"s":"a\u00e9\n\ud83d\ude00","a":[1,22,333]}"#.utf8)
        var accepted = 0
        for _ in 0..<20_000 where (try? read(random.mutated(document))) != nil { accepted += 1 }
        #expect(accepted > 0 && accepted < 20_000)
    }

    private func base64(_ text: String) throws(PayloadError) -> [UInt8]? {
        var bytes: [UInt8]?
        try JSONReader.readDocument(Array(text.utf8), fields: ["b"]) { field, reader throws(PayloadError) in bytes = try reader.readBase64(field) }
        return bytes
    }

    @Test(arguments: [
        ("", ""), ("Zm9v", "foo"), ("Zm\\u0039vYg==", "foob"), ("\\u005Am9vYmE\\u003d", "fooba"),
        ("\\/\\/\\/\\/", "\u{FF}\u{FF}\u{FF}"),
    ])
    func readsBase64(written: String, expected: String) throws {
        #expect(try base64("{\"b\": \"\(written)\"}") == expected.unicodeScalars.map { UInt8($0.value) })
    }

    @Test func refusesWrongBase64WhereItGoesWrong() {
        for (written, index) in [("!", 0), ("AAAA\\u000bAAAA", 4), ("AAA\\u00e9", 3), ("AAé", 2), ("\\ud83d\\ude00", 0), ("AA==AA", 4)] {
            #expect(throws: PayloadError.invalid("base64 text has a character outside the alphabet at \(index)")) {
                try base64("{\"b\":\"\(written)\"}")
            }
        }
        for (written, position) in [("AAAA\n\"}", 10), ("AAAA", 10), ("AAAA\\x\"}", 12), ("AAAA\\u00\"}", 12)] {
            let problem = #expect(throws: PayloadError.self) { try base64("{\"b\":\"\(written)") }
            #expect(problem?.reason.hasPrefix("not valid JSON at byte \(position): ") == true, "\(String(describing: problem))")
        }
    }

    @Test func aNameLongerThanAnyIsUnknown() {
        let expected = "the document has an unknown field \"\(String(repeating: "a", count: 37))…\"; expected n, s, a"
        #expect(reason("{\"" + String(repeating: "a", count: 300) + "\":1}") == expected)
        #expect(reason("{\"" + String(repeating: "\\u0061", count: 300) + "\":1}") == expected)
    }
}
