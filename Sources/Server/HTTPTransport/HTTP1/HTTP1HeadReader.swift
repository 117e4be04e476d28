/// Reads one request head: request line, header fields, and what they say together.
struct HTTP1HeadReader {
    enum Reading {
        case whole(HTTPRequestHead, HTTP1Framing)
        /// Its fields are larger than accepted. The request may be refused and the connection go on behind what the skimmer finds.
        case tooLarge(HTTPRequestHead, HTTP1HeadSkimmer, HTTPError)
    }

    private let limits: HTTPLimits
    private var line: HTTP1RequestLine?
    private var fields: HTTP1FieldReader
    private var skippedEmptyLine = false

    init(limits: HTTPLimits) {
        self.limits = limits
        fields = HTTP1FieldReader(bytes: limits.headBytes, limits: limits)
    }

    /// Takes what has arrived.
    /// - Returns: the head once it is complete or too large.
    mutating func read(from input: inout InputBuffer, peer: SocketAddress) throws(HTTPError) -> Reading? {
        guard let line = try requestLine(from: &input) else { return nil }
        do throws(HTTPError) {
            guard try fields.read(from: &input) else { return nil }
        } catch {
            // An older client would have to say that it keeps the connection, perhaps in what is not kept here.
            guard error.status == .requestHeaderFieldsTooLarge, line.version == .http1_1 else { throw error }
            let head = line.head(HTTPHeaders(fields.fields), peer: peer, contentLength: nil)
            let refusal = HTTPError(error.status, error.reason, leavesFraming: true)
            return .tooLarge(head, HTTP1HeadSkimmer(after: fields.fields, limits: limits), refusal)
        }
        let headers = HTTPHeaders(fields.fields)
        let framing = try HTTP1Framing(headers, version: line.version)
        return .whole(line.head(headers, peer: peer, contentLength: framing.announcedBytes), framing)
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

extension HTTP1RequestLine {
    fileprivate func head(_ headers: HTTPHeaders, peer: SocketAddress, contentLength: Int?) -> HTTPRequestHead {
        HTTPRequestHead(
            method: method, target: target.text, path: target.path, query: target.query, version: version, headers: headers, peer: peer,
            contentLength: contentLength)
    }
}
