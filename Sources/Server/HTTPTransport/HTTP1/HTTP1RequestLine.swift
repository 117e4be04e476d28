/// `GET /encode?model=x HTTP/1.1`, taken apart (RFC 9112 §3).
struct HTTP1RequestLine {
    let method: HTTPMethod
    let target: RequestTarget
    let version: HTTPVersion

    /// - Throws: 400 if malformed, 501 for CONNECT, 505 for another major version than 1.
    init(_ line: ArraySlice<UInt8>) throws(HTTPError) {
        let parts = line.split(separator: .space, omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw HTTPError(.badRequest, "malformed request line; expected method, target and version, one space between")
        }
        guard !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenCharacter) else {
            throw HTTPError(.badRequest, "malformed request method; expected a name such as GET")
        }
        version = try Self.version(parts[2])
        method = HTTPMethod(rawValue: String(decoding: parts[0], as: UTF8.self))
        target = try RequestTarget(String(decoding: parts[1], as: UTF8.self), method: method)
    }

    /// A later minor version is answered as 1.1, as RFC 9110 §2.5 asks.
    private static func version(_ text: ArraySlice<UInt8>) throws(HTTPError) -> HTTPVersion {
        let start = text.startIndex
        guard text.count == 8, text.starts(with: "HTTP/".utf8), text[start + 6] == UInt8(ascii: "."), text[start + 5].isDigit,
            text[start + 7].isDigit
        else {
            throw HTTPError(.badRequest, "malformed protocol version; expected HTTP/1.1 or HTTP/1.0")
        }
        guard text[start + 5] == UInt8(ascii: "1") else {
            throw HTTPError(.httpVersionNotSupported, "unsupported protocol version; expected HTTP/1.1 or HTTP/1.0")
        }
        return text[start + 7] == UInt8(ascii: "0") ? .http1_0 : .http1_1
    }
}
