/// Collects the fields of one request's head, and says what they mean together. What nghttp2 has checked (RFC 9113 §8: order and number of
/// the fields that begin with a colon, names, forbidden fields, lengths) is not checked again.
struct HTTP2HeadReader {
    /// What `SETTINGS_MAX_HEADER_LIST_SIZE` counts for each field besides its bytes (RFC 9113 §6.5.2).
    private static let fieldBytes = 32

    private let limits: HTTPLimits
    private var remainingBytes: Int
    private(set) var failure: HTTPError?
    private var method = ""
    private var scheme = ""
    private var target = ""
    private var authority: String?
    private var fields: [HTTPHeaders.Field] = []

    init(limits: HTTPLimits) {
        self.limits = limits
        remainingBytes = limits.headBytes
    }

    /// Takes the next field; once there are too many, none is kept.
    mutating func add(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        guard failure == nil else { return }
        remainingBytes -= name.count + value.count + Self.fieldBytes
        do throws(HTTPError) {
            try keep(name, value)
        } catch {
            failure = error
            fields = []
        }
    }

    private mutating func keep(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) throws(HTTPError) {
        guard remainingBytes >= 0 else {
            throw HTTPError(.requestHeaderFieldsTooLarge, "the header fields are larger than this server accepts")
        }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw HTTPError(.badRequest, "a header field's value has a control character or is not UTF-8")
        }
        guard name.first == UInt8(ascii: ":") else { return try keep(String(decoding: name, as: UTF8.self), text) }
        switch name[1] {
        case UInt8(ascii: "m"): method = text
        case UInt8(ascii: "s"): scheme = text
        case UInt8(ascii: "a"): authority = text
        default:
            guard value.count <= limits.requestLineBytes else {
                throw HTTPError(.uriTooLong, "the request target is longer than \(limits.requestLineBytes) bytes")
            }
            target = text
        }
    }

    private mutating func keep(_ name: String, _ value: String) throws(HTTPError) {
        guard fields.count < limits.headerFields else {
            throw HTTPError(.requestHeaderFieldsTooLarge, "more than \(limits.headerFields) header fields")
        }
        fields.append(HTTPHeaders.Field(name: name, value: value))
    }

    /// What has been collected.
    /// - Parameter isWhole: whether the request ends with its head.
    /// - Throws: 400, 413, 414, 417, 431 or 501.
    func head(from peer: SocketAddress, isWhole: Bool) throws(HTTPError) -> (HTTPRequestHead, expectsContinue: Bool) {
        if let failure { throw failure }
        guard ["http", "https"].contains(scheme) else {
            throw HTTPError(.badRequest, "unsupported scheme \(scheme.shortened); expected http or https")
        }
        let method = HTTPMethod(rawValue: method)
        let target = try RequestTarget(target, method: method)
        let headers = try headersWithHost()
        let expectsContinue = try HTTP1Framing.expectsContinue(headers, version: .http2)
        let head = HTTPRequestHead(
            method: method, target: target.text, path: target.path, query: target.query, version: .http2, headers: headers, peer: peer,
            contentLength: isWhole ? 0 : headers["content-length"].flatMap { Int($0) })
        return (head, expectsContinue && !isWhole)
    }

    /// The authority is what HTTP/1.1 calls `Host`; a client that says both says the same twice (RFC 9113 §8.3.1).
    private func headersWithHost() throws(HTTPError) -> HTTPHeaders {
        var headers = HTTPHeaders(fields)
        if let authority {
            guard headers.values("host").allSatisfy({ $0.equalsIgnoringCase(authority) }) else {
                throw HTTPError(.badRequest, "Host is not what :authority is; expected one of them, or the same in both")
            }
            headers["Host"] = authority
        }
        try HTTP1Framing.checkHost(headers, version: .http2)
        return headers
    }
}
