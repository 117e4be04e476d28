/// Reads one request head: request line, header fields, and what they say together.
struct HTTP1HeadReader {
    private let limits: HTTPLimits
    private var line: HTTP1RequestLine?
    private var fields: HTTP1FieldReader
    private var skippedEmptyLine = false

    init(limits: HTTPLimits) {
        self.limits = limits
        fields = HTTP1FieldReader(bytes: limits.headBytes, limits: limits)
    }

    /// Takes what has arrived.
    /// - Returns: the head once it is complete.
    mutating func read(from input: inout InputBuffer, peer: SocketAddress) throws(HTTPError)
        -> (HTTPRequestHead, HTTP1Framing)?
    {
        guard let line = try requestLine(from: &input), try fields.read(from: &input) else { return nil }
        let headers = HTTPHeaders(fields.fields)
        let framing = try HTTP1Framing(headers, version: line.version)
        let head = HTTPRequestHead(
            method: line.method, target: line.target.text, path: line.target.path, query: line.target.query, version: line.version,
            headers: headers, peer: peer, contentLength: framing.announcedBytes)
        return (head, framing)
    }

    /// One empty line before it is skipped: some clients end a body with a CRLF that belongs to nothing (RFC 9112 §2.2).
    private mutating func requestLine(from input: inout InputBuffer) throws(HTTPError) -> HTTP1RequestLine? {
        while line == nil {
            let tooLong = HTTPError(.uriTooLong, "the request line is longer than \(limits.requestLineBytes) bytes")
            guard let bytes = try input.line(limit: limits.requestLineBytes, tooLong: tooLong) else { return nil }
            if bytes.isEmpty, !skippedEmptyLine {
                skippedEmptyLine = true
            } else {
                line = try HTTP1RequestLine(bytes)
                fields = HTTP1FieldReader(bytes: limits.headBytes - bytes.count, limits: limits)
            }
        }
        return line
    }
}
