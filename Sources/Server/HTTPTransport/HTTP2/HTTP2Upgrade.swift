/// How a client says in HTTP/1.1 that it speaks HTTP/2 (RFC 7540 §3.2): curl's `--http2` does where there is no TLS to ask by.
enum HTTP2Upgrade {
    /// What a client that knows beforehand begins with (RFC 9113 §3.4).
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// The answer after which both speak HTTP/2.
    static let answer = Array("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".utf8)
    /// An identifier and a value.
    private static let settingBytes = 6

    /// The payload of the client's SETTINGS frame; `nil` where the fields do not ask for `h2c`, or not as they should: then the offer is passed
    /// over, as RFC 7540 wants it.
    static func settings(_ headers: HTTPHeaders) -> [UInt8]? {
        let texts = headers.values("HTTP2-Settings")
        guard texts.count == 1, headers.list("Upgrade").contains(where: { $0 == "h2c" }), let settings = base64URL(texts[0]),
            settings.count.isMultiple(of: settingBytes)
        else { return nil }
        return settings
    }

    /// Base64 in the alphabet for URLs, without padding (RFC 4648 §5).
    private static func base64URL(_ text: String) -> [UInt8]? {
        var (bytes, bits, count) = ([UInt8](), 0, 0)
        for character in text.utf8 {
            guard let value = character.base64URLValue else { return nil }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        return count < 6 ? bytes : nil
    }
}

extension UInt8 {
    fileprivate var base64URLValue: Int? {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(self - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(self - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(self - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
