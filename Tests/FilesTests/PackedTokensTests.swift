import TestSupport
import Testing

@testable import Files

@Suite struct PackedTokensTests {
    private func packed(_ values: [Int32], of codes: Int, tokens: Int? = nil) -> PackedTokens {
        PackedTokens(values, tokensPerImage: tokens ?? values.count, codebookSize: codes, fingerprint: "f1")
    }

    @Test("Codebooks of any size are packed and read again", arguments: [1, 2, 3, 255, 256, 257, 16_384, 16_385, 65_536, 1 << 20, 1 << 31])
    func roundTrip(_ codes: Int) throws {
        var random = TestRandom(seed: UInt64(codes))
        for count in [1, 7, 8, 9, 512] {
            let tokens = packed((0..<count).map { _ in Int32(random.below(codes)) }, of: codes)
            let read = try PackedTokens(parsing: tokens.serialized(), maximumCount: 512)
            #expect(read == tokens)
        }
    }

    /// Written by hand: any reader must be able to do this.
    @Test func theLayoutIsAsDocumented() throws {
        let bytes = packed([1, 2, 3, 300], of: 512, tokens: 2).serialized()
        // 9 bits each, lowest first: 1, 2, 3 and 300 at the bits 0, 9, 18 and 27.
        let bits: UInt64 = 1 | 2 << 9 | 3 << 18 | 300 << 27
        let body = (0..<5).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
        let expected: [UInt8] = Array("RVQT".utf8) + [1, 9, 2, 0, 2, 0, 0, 0, 2, 0, 0, 0] + Array("f1".utf8) + body
        let checksum = CRC32.zip.checksum(expected)
        #expect(bytes == expected + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * UInt32($0))) })
        #expect(CRC32.zip.checksum(Array("123456789".utf8)) == 0xCBF4_3926, "the check value of CRC-32/ISO-HDLC")
    }

    @Test func theDefaultCheckpointsTokensTake896Bytes() {
        let bytes = packed([Int32](repeating: 16_383, count: 512), of: 16_384).serialized()
        #expect(bytes.count == 896 + 16 + 2 + 4)
    }

    @Test func everyChangedByteIsNoticed() {
        let bytes = packed([1, 2, 3, 300, 511], of: 512).serialized()
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: PackedTokens.FormatError.self) { _ = try PackedTokens(parsing: changed, maximumCount: 100) }
            }
            #expect(throws: PackedTokens.FormatError.self) { _ = try PackedTokens(parsing: Array(bytes[..<index]), maximumCount: 100) }
        }
        #expect(throws: PackedTokens.FormatError.self) { _ = try PackedTokens(parsing: bytes, maximumCount: 4) }
    }
}
