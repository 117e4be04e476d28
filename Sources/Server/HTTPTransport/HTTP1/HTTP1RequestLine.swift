/// `GET /encode?model=x HTTP/1.1`, taken apart (RFC 9112 §3).
struct HTTP1RequestLine {
    let method: HTTPMethod
    let target: String
    let path: String
    let query: HTTPQuery
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
        guard method != .connect else {
            throw HTTPError(.notImplemented, "CONNECT is not supported; this server is not a proxy")
        }
        target = String(decoding: parts[1], as: UTF8.self)
        (path, query) = try Self.decode(target, method: method)
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

    private static func decode(_ target: String, method: HTTPMethod) throws(HTTPError) -> (String, HTTPQuery) {
        guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }), !target.isEmpty else {
            throw HTTPError(.badRequest, "the request target has a character that must be percent-encoded")
        }
        if target == "*", method == .options { return ("*", HTTPQuery()) }
        let parts = try originForm(target).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts[0].percentDecoded(plusIsSpace: false),
            let query = HTTPQuery(encoded: parts.count > 1 ? parts[1] : "")
        else {
            throw HTTPError(.badRequest, "the request target has a malformed percent escape or is not UTF-8")
        }
        return (path, query)
    }

    /// The path and query of `/path?query` and of `http://host/path?query`.
    private static func originForm(_ target: String) throws(HTTPError) -> Substring {
        if target.utf8.first == UInt8(ascii: "/") { return target[...] }
        for scheme in ["http://", "https://"] where target.prefix(scheme.count).equalsIgnoringCase(scheme) {
            let rest = target.dropFirst(scheme.count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            guard end > rest.startIndex, rest[..<end].utf8.allSatisfy(\.isAuthorityCharacter) else { break }
            let path = rest[end...]
            return path.first == "/" ? path : "/" + path
        }
        throw HTTPError(.badRequest, "malformed request target; expected a path that begins with /")
    }
}
