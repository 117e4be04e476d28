/// Base64 (RFC 4648 §4 and §5) → bytes, while its text arrives: in either alphabet, with padding or without, with blanks and line breaks, which
/// count for nothing. What is neither is refused, and so are unused bits that are not zero.
struct Base64Decoder {
    private static let invalid: UInt8 = 0xFF
    private static let padding = UInt8(ascii: "=")
    private static let alphabet: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        let characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, character) in characters.utf8.enumerated() { values[Int(character)] = UInt8(value) }
        (values[Int(UInt8(ascii: "-"))], values[Int(UInt8(ascii: "_"))]) = (62, 63)
        return values
    }()
    /// Characters that are decoded before their bytes are kept; a multiple of 4. Those fit on the stack, so that text of which every few
    /// characters are followed by a blank costs no allocation each time.
    private static let piece = 1_360

    /// Each character's bits, at hand for every single one.
    private let values = Self.alphabet
    private var bytes: [UInt8] = []
    /// Characters so far, with the padding; and the bits of the last of them.
    private var count = 0
    private var bits: UInt32 = 0
    private var isPadded = false

    /// - Parameter characters: the most that will come.
    init(characters: Int) {
        // Memory that stays untouched is none that is taken.
        bytes.reserveCapacity(characters / 4 * 3)
    }

    /// All of a text at once; a data URL counts as what it holds.
    static func decode(_ text: [UInt8], named name: String) throws(PayloadError) -> [UInt8] {
        var rest = text[...]
        if text.starts(with: "data:".utf8) {
            guard let comma = text.prefix(256).firstIndex(of: UInt8(ascii: ",")), text[..<comma].suffix(7).elementsEqual(";base64".utf8) else {
                throw .invalid("\(name) is a data URL that is not in base64")
            }
            rest = text[(comma + 1)...]
        }
        var decoder = Base64Decoder(characters: rest.count)
        while !rest.isEmpty {
            rest = rest.dropFirst(rest.withUnsafeBufferPointer { decoder.take($0) })
            if let next = rest.popFirst() { try decoder.take(Unicode.Scalar(next)) }
        }
        return try decoder.finished()
    }

    /// Takes the characters up to the first that does not belong; a line break does only where it comes as a scalar, escaped in its text.
    /// - Returns: how many.
    mutating func take(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var taken = 0
        while taken < text.count {
            if count % 4 == 0, !isPadded, !Self.isBlank(text[taken]) { taken += takeGroups(UnsafeBufferPointer(rebasing: text[taken...])) }
            guard taken < text.count, text[taken] >= 0x20, take(text[taken]) else { break }
            taken += 1
        }
        return taken
    }

    /// - Throws: ``refusal`` if it does not belong.
    mutating func take(_ character: Unicode.Scalar) throws(PayloadError) {
        guard character.isASCII, take(UInt8(character.value)) else { throw refusal }
    }

    private mutating func take(_ character: UInt8) -> Bool {
        guard accepts(character) else { return false }
        if Self.isBlank(character) { return true }
        if character == Self.padding {
            isPadded = true
        } else {
            bits = bits << 6 | UInt32(values[Int(character)])
            if count % 4 != 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> (6 - 2 * (UInt32(count) % 4)))) }
        }
        count += 1
        return true
    }

    /// Whether the character may come next.
    func accepts(_ character: UInt8) -> Bool {
        guard character == Self.padding else { return !isPadded && values[Int(character)] != Self.invalid || Self.isBlank(character) }
        return count % 4 == 3 || count % 4 == 2 && !isPadded
    }

    private static func isBlank(_ character: UInt8) -> Bool {
        character == 0x20 || character == 0x0A || character == 0x0D || character == 0x09
    }

    /// Takes four characters at a time while all of them are in the alphabet.
    private mutating func takeGroups(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var taken = 0
        let values = values
        values.withUnsafeBufferPointer { values in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.piece / 4 * 3) { decoded in
                var isWhole = true
                while isWhole {
                    let end = min(taken + Self.piece, taken + (text.count - taken) & ~3)
                    var written = 0
                    while taken < end {
                        let (a, b) = (values[Int(text[taken])], values[Int(text[taken + 1])])
                        let (c, d) = (values[Int(text[taken + 2])], values[Int(text[taken + 3])])
                        guard a | b | c | d < 64 else { break }
                        decoded[written] = a << 2 | b >> 4
                        decoded[written + 1] = b << 4 | c >> 2
                        decoded[written + 2] = c << 6 | d
                        (taken, written) = (taken + 4, written + 3)
                    }
                    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: decoded[..<written]))
                    isWhole = written == decoded.count
                }
            }
        }
        count += taken
        return taken
    }

    /// Why the next character is refused.
    var refusal: PayloadError { .invalid("base64 text has a character outside the alphabet at \(count)") }

    /// All bytes, once all characters have come.
    func finished() throws(PayloadError) -> [UInt8] {
        guard isPadded ? count % 4 == 0 : count % 4 != 1 else {
            throw .invalid("base64 text has \(count) characters; expected a multiple of 4, with or without its \"=\" padding")
        }
        // Two characters hold 4 bits that belong to no byte, three hold 2.
        let unused = bytes.count % 3 == 0 ? 0 : bits & (bytes.count % 3 == 1 ? 0b1111 : 0b11)
        guard unused == 0 else { throw .invalid("base64 text ends in bits that belong to no byte") }
        return bytes
    }
}
