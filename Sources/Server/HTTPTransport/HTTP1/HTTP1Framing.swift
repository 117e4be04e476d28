/// How long a request's body is and what becomes of the connection: everything RFC 9112 derives from the header fields
/// as a whole. Where two readings are possible the request is refused, so that no proxy in front can read it differently.
struct HTTP1Framing {
    /// The body's length, 0 where there is no body, `nil` where it is chunked.
    let announcedBytes: Int?
    /// The client waits for `100 Continue` before it sends the body.
    let expectsContinue: Bool
    /// The client can send another request after this one.
    let isPersistent: Bool
    /// What the client says of itself where it would rather speak HTTP/2 from this request on; `nil` where it would not.
    let http2Settings: [UInt8]?

    /// - Throws: 400, 413, 417 or 501.
    init(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPError) {
        try Self.checkHost(headers, version: version)
        announcedBytes = try Self.announcedBytes(headers, version: version)
        expectsContinue = try Self.expectsContinue(headers, version: version)
        let options = headers.list("Connection")
        let names = { (option: String) in options.contains { $0.equalsIgnoringCase(option) } }
        isPersistent = !names("close") && (version == .http1_1 || names("keep-alive"))
        http2Settings = version == .http1_1 && names("Upgrade") && names("HTTP2-Settings") ? HTTP2Upgrade.settings(headers) : nil
    }

    /// - Throws: 400 unless there is one that is well-formed, which only HTTP/1.0 can do without.
    static func checkHost(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPError) {
        let hosts = headers.values("Host")
        guard hosts.count == 1 || hosts.isEmpty && version == .http1_0 else {
            throw HTTPError(.badRequest, "\(hosts.isEmpty ? "no" : "more than one") Host header field; expected one")
        }
        guard hosts.allSatisfy({ $0.utf8.allSatisfy(\.isAuthorityCharacter) }) else {
            throw HTTPError(.badRequest, "malformed Host header field; expected host or host:port")
        }
    }

    private static func announcedBytes(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPError) -> Int? {
        let lengths = headers.values("Content-Length")
        guard headers.contains("Transfer-Encoding") else {
            guard let length = lengths.first else { return 0 }
            guard lengths.count == 1 else {
                throw HTTPError(.badRequest, "more than one Content-Length header field; expected one")
            }
            return try contentLength(length)
        }
        guard lengths.isEmpty else {
            throw HTTPError(.badRequest, "both Content-Length and Transfer-Encoding; expected one of them")
        }
        guard version == .http1_1 else {
            throw HTTPError(.badRequest, "Transfer-Encoding in an HTTP/1.0 request; expected Content-Length")
        }
        try checkTransferCodings(headers)
        return nil
    }

    private static func contentLength(_ text: String) throws(HTTPError) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else {
            throw HTTPError(.badRequest, "malformed Content-Length; expected a decimal number")
        }
        guard let length = Int(text) else {
            throw HTTPError(.contentTooLarge, "Content-Length is larger than any body this server accepts")
        }
        return length
    }

    private static func checkTransferCodings(_ headers: HTTPHeaders) throws(HTTPError) {
        let codings = headers.list("Transfer-Encoding")
        guard !codings.isEmpty else {
            throw HTTPError(.badRequest, "empty Transfer-Encoding; expected chunked")
        }
        guard codings.allSatisfy({ $0.equalsIgnoringCase("chunked") }) else {
            throw HTTPError(.notImplemented, "unsupported Transfer-Encoding; expected chunked alone")
        }
        guard codings.count == 1 else {
            throw HTTPError(.badRequest, "chunked is applied twice in Transfer-Encoding; expected once")
        }
    }

    /// An HTTP/1.0 client cannot read an interim answer, so its expectations are ignored (RFC 9110 §10.1.1).
    static func expectsContinue(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPError) -> Bool {
        let expectations = headers.list("Expect")
        guard version != .http1_0, !expectations.isEmpty else { return false }
        guard expectations.allSatisfy({ $0.equalsIgnoringCase("100-continue") }) else {
            throw HTTPError(.expectationFailed, "unknown expectation in Expect; expected 100-continue")
        }
        return true
    }
}
