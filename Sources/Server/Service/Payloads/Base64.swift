/// Base64 (RFC 4648 §4), strictly: the standard alphabet, full padding, no white space, unused bits zero.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let invalid: UInt8 = 0xFF
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// - Throws: ``PayloadError/invalid(_:)`` naming the first character that does not belong.
    static func decode(_ text: [UInt8]) throws(PayloadError) -> [UInt8] {
        guard text.count % 4 == 0 else {
            throw .invalid("base64 text has \(text.count) characters; expected a multiple of 4, with \"=\" padding")
        }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        for index in 0..<text.count - padding {
            let value = values[Int(text[index])]
            guard value != invalid else { throw .invalid("base64 text has a character outside the alphabet at \(index)") }
            bits = bits << 6 | UInt32(value)
            if index % 4 != 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> (6 - 2 * (UInt32(index) % 4)))) }
        }
        guard padding == 0 || bits & (padding == 1 ? 0b11 : 0b1111) == 0 else {
            throw .invalid("base64 text ends in bits that belong to no byte")
        }
        return bytes
    }
}
