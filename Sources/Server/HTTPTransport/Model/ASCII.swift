/// The characters and comparisons of HTTP's grammar (RFC 9110 §5.6), without Unicode's idea of case or white space.
extension UInt8 {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")

    @inlinable package var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }

    var isBlank: Bool {
        self == .space || self == UInt8(ascii: "\t")
    }

    @inlinable package var isDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }

    /// The value of a hexadecimal digit.
    @inlinable package var hexValue: UInt8? {
        if isDigit { return self &- UInt8(ascii: "0") }
        let lower = asciiLowercased
        guard (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(lower) else { return nil }
        return lower &- UInt8(ascii: "a") &+ 10
    }

    var isLetterOrDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(asciiLowercased)
    }

    /// `tchar`: what methods, field names, media types and unquoted parameters consist of.
    var isTokenCharacter: Bool {
        isLetterOrDigit || Self.tokenMarks.contains(self)
    }

    /// VCHAR, blank or obs-text: everything but the control characters, among them CR and NUL.
    var isFieldCharacter: Bool {
        self >= 0x20 && self != 0x7F || self == UInt8(ascii: "\t")
    }

    /// What a host and port consist of (RFC 3986 §3.2).
    var isAuthorityCharacter: Bool {
        isLetterOrDigit || Self.authorityMarks.contains(self)
    }

    private static let tokenMarks = ASCIISet("!#$%&'*+-.^_`|~")
    private static let authorityMarks = ASCIISet("!$&'()*+,-.:;=[]_~%")
}

/// Some of the ASCII characters, a bit each.
private struct ASCIISet {
    private var bits: (low: UInt64, high: UInt64) = (0, 0)

    init(_ characters: String) {
        for byte in characters.utf8 {
            if byte < 64 { bits.low |= 1 << byte } else { bits.high |= 1 << (byte - 64) }
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        byte < 64 ? bits.low >> byte & 1 == 1 : byte < 128 && bits.high >> (byte - 64) & 1 == 1
    }
}

extension StringProtocol {
    package func equalsIgnoringCase(_ other: some StringProtocol) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8) { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension BidirectionalCollection<UInt8> where SubSequence == ArraySlice<UInt8> {
    /// Without the spaces and tabs at both ends (RFC 9110 §5.6.3, OWS).
    func trimmingBlanks() -> ArraySlice<UInt8> {
        let kept = drop { $0.isBlank }
        return kept.dropLast(kept.reversed().prefix { $0.isBlank }.count)
    }
}

extension Substring {
    /// Without the spaces and tabs at both ends.
    func trimmingBlanks() -> String {
        String(decoding: Array(utf8).trimmingBlanks(), as: UTF8.self)
    }
}
