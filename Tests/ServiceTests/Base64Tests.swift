import TestSupport
import Testing

@testable import Service

@Suite struct Base64Tests {
    private func decode(_ text: String) throws -> [UInt8] {
        try Base64.decode(Array(text.utf8))
    }

    @Test(arguments: [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar")])
    func decodesTheVectorsOfRFC4648(text: String, expected: String) throws {
        #expect(try decode(text) == Array(expected.utf8))
    }

    @Test func decodesEveryCharacter() throws {
        let bytes = try decode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var bits = 0
        var values: [Int] = []
        for (index, byte) in bytes.enumerated() {
            bits = bits << 8 | Int(byte)
            if index % 3 == 2 {
                values += [18, 12, 6, 0].map { bits >> $0 & 63 }
                bits = 0
            }
        }
        #expect(values == Array(0..<64))
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "====", "Zm9v\n", "Zm 9v", "Zm9-", "Zm9_", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "=m9v", "Zm9\u{e9}"])
    func refusesWhatIsNotCanonical(text: String) {
        #expect(throws: PayloadError.self) { try decode(text) }
    }

    @Test func survivesDamagedText() {
        var random = TestRandom(seed: 2)
        for _ in 0..<5_000 { _ = try? Base64.decode(random.mutated(Array("Zm9vYmFyYmF6cXV4Cg==".utf8))) }
    }
}
