import Files

/// The SHA-256 of a picture's file, as a key of few bytes.
struct ContentKey: Hashable, Sendable {
    private let words: SIMD4<UInt64>

    static let bytes = 32

    init(_ digest: FileDigest) {
        self.init(sha256: digest.sha256)!
    }

    /// - Parameter sha256: 64 lower-case hexadecimal digits; nil for anything else.
    init?(sha256: String) {
        let isDigit = { (byte: UInt8) in UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte }
        guard sha256.utf8.count == 64, sha256.utf8.allSatisfy(isDigit) else { return nil }
        var words = SIMD4<UInt64>()
        for (index, digit) in sha256.utf8.enumerated() {
            let value = digit >= UInt8(ascii: "a") ? digit - UInt8(ascii: "a") + 10 : digit - UInt8(ascii: "0")
            words[index / 16] = words[index / 16] << 4 | UInt64(value)
        }
        self.words = words
    }

    /// - Precondition: there are ``bytes`` of them.
    init(_ stored: ArraySlice<UInt8>) {
        precondition(stored.count == Self.bytes, "\(stored.count) bytes are no key")
        var words = SIMD4<UInt64>()
        for (index, byte) in stored.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.words = words
    }

    var stored: [UInt8] { (0..<Self.bytes).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(56 - $0 % 8 * 8)) } }
}
