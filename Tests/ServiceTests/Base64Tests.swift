import Foundation
import TestSupport
import Testing

@testable import Service

@Suite struct Base64Tests {
    private func decode(_ text: String) throws -> [UInt8] {
        try decode(Array(text.utf8), inPieces: 7)
    }

    private func decode(_ text: [UInt8], inPieces length: Int) throws -> [UInt8] {
        var decoder = Base64Decoder(characters: text.count)
        for start in stride(from: 0, to: text.count, by: length) {
            let piece = text[start..<min(start + length, text.count)]
            guard piece.withUnsafeBufferPointer({ decoder.take($0) }) == piece.count else { throw decoder.refusal }
        }
        return try decoder.finished()
    }

    @Test func decodesInPiecesOfAnyLength() throws {
        var random = TestRandom(seed: 4)
        for count in [0, 1, 2, 3, 100, 12_287, 12_288, 12_289, 30_000] {
            let bytes = (0..<count).map { _ in UInt8(random.below(256)) }
            let text = Array(Data(bytes).base64EncodedString().utf8)
            for length in [1, 3, 5, 4_096, 16_384, 100_000] { #expect(try decode(text, inPieces: length) == bytes, "\(count), \(length)") }
        }
    }

    @Test func namesTheFirstCharacterThatDoesNotBelong() {
        for (text, index) in [("!", 0), ("=", 0), ("AAAA=", 4), ("AAA!AAAA", 3), ("AA=A", 3), ("AA==AAAA", 4), ("A=", 1), ("AAAAAAAé", 7)] {
            #expect(throws: PayloadError.invalid("base64 text has a character outside the alphabet at \(index)")) { try decode(text) }
        }
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

    @Test(arguments: ["Z", "Zg=", "Zg===", "====", "Z===", "Zg==Zg==", "Zh==", "Zh", "Zm9=", "Zm9", "=m9v", "Zm9\u{e9}", "Zm9.", "Zm9v\u{b}"])
    func refusesWhatStandsForNoBytes(text: String) {
        #expect(throws: PayloadError.self) { try decode(text) }
    }

    /// As Python's `encodebytes` and `urlsafe_b64encode`, and browsers without padding, write it.
    @Test(arguments: [
        ("Zg", "f"), ("Zm8", "fo"), ("Zm9v\n", "foo"), (" Zm 9v\r\n\tYg = =\n", "foob"), ("-_-_", "\u{fb}\u{ff}\u{bf}"),
        ("+/+/", "\u{fb}\u{ff}\u{bf}"),
    ])
    func takesEveryWayToWriteIt(text: String, expected: String) throws {
        var decoder = Base64Decoder(characters: text.utf8.count)
        for scalar in text.unicodeScalars { try decoder.take(scalar) }
        #expect(try decoder.finished() == expected.unicodeScalars.map { UInt8($0.value) })
    }

    @Test func survivesDamagedText() {
        var random = TestRandom(seed: 2)
        for _ in 0..<5_000 { _ = try? decode(random.mutated(Array("Zm9vYmFyYmF6cXV4Cg==".utf8)), inPieces: 3) }
    }
}
