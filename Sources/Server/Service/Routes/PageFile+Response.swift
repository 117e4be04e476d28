import HTTPTransport
import Pages

extension PageFile {
    /// The media type without its parameters.
    var mediaType: String { String(contentType.prefix { $0 != ";" }) }

    /// The file, or 304 where the client has it already (RFC 9110 §13.1.2).
    ///
    /// It is asked for again at every use, which costs a 304: after an update no page meets another one's script.
    func response(to head: HTTPRequestHead) -> HTTPResponse {
        var headers: HTTPHeaders = ["ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"]
        if isPage { headers["Content-Security-Policy"] = Self.policy }
        guard !tag.isAmong(head.headers.list("If-None-Match")) else { return HTTPResponse(status: .notModified, headers: headers) }
        headers["Content-Type"] = contentType
        return HTTPResponse(status: .ok, headers: headers, body: bytes)
    }

    private var isPage: Bool { mediaType == "text/html" }

    /// Pages run nothing and load nothing but what this server has, and stand in no other page.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """
}

extension String {
    /// Whether an `If-None-Match` with these members has this tag. A cache may have made it weak.
    func isAmong(_ tags: [String]) -> Bool {
        tags.contains { $0 == "*" || $0 == self || $0 == "W/\(self)" }
    }
}
