/// What a request asks for, taken apart: `/encode?model=x`, or the same behind `http://host`.
struct RequestTarget {
    /// As sent.
    let text: String
    let path: String
    let query: HTTPQuery

    /// - Throws: 400 if malformed, 501 for CONNECT.
    init(_ target: String, method: HTTPMethod) throws(HTTPError) {
        guard method != .connect else {
            throw HTTPError(.notImplemented, "CONNECT is not supported; this server is not a proxy")
        }
        text = target
        guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }), !target.isEmpty else {
            throw HTTPError(.badRequest, "the request target has a character that must be percent-encoded")
        }
        if target == "*", method == .options {
            (path, query) = ("*", HTTPQuery())
            return
        }
        let parts = try Self.originForm(target).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts[0].percentDecoded(plusIsSpace: false),
            let query = HTTPQuery(encoded: parts.count > 1 ? parts[1] : "")
        else {
            throw HTTPError(.badRequest, "the request target has a malformed percent escape or is not UTF-8")
        }
        (self.path, self.query) = (path, query)
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
