/// The ASCII comparisons that HTTP's grammar needs, without Unicode's idea of case or white space.
extension StringProtocol {
    func equalsIgnoringCase(_ other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8) { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension Substring {
    /// Without the spaces and tabs at both ends (RFC 9110 §5.6.3, OWS).
    func trimmingBlanks() -> String {
        var kept = utf8
        while kept.first?.isBlank == true { kept.removeFirst() }
        while kept.last?.isBlank == true { kept.removeLast() }
        return String(Substring(kept))
    }
}

extension UInt8 {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")

    var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }

    var isBlank: Bool {
        self == .space || self == UInt8(ascii: "\t")
    }

    var isDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }

    /// The value of a hexadecimal digit.
    var hexValue: UInt8? {
        if isDigit { return self &- UInt8(ascii: "0") }
        let lower = asciiLowercased
        guard (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(lower) else { return nil }
        return lower &- UInt8(ascii: "a") &+ 10
    }
}
