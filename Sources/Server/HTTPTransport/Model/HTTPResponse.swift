/// An answer. The transport adds `Content-Length`, `Date` and `Connection`, and leaves the body out for `HEAD`.
package struct HTTPResponse: Sendable, Equatable {
    package var status: HTTPStatus
    /// `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` set here are ignored: the transport knows better.
    /// Control characters in a value are sent as spaces, so a value echoed from a request cannot split the answer.
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// Whether more of the body follows in parts, so that its length is not known yet.
    var isOpen = false

    package init(status: HTTPStatus, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A `text/plain` answer.
    package init(status: HTTPStatus, headers: HTTPHeaders = [:], text: String) {
        self.init(status: status, headers: headers, body: Array(text.utf8))
        self.headers["Content-Type"] = "text/plain; charset=utf-8"
    }
}

/// A status code and the reason phrase that HTTP/1.1 prints beside it (RFC 9110 §15).
package struct HTTPStatus: Hashable, Sendable, CustomStringConvertible {
    /// 100 … 599.
    package let code: Int

    /// - Precondition: `code` is in 100 … 599.
    package init(_ code: Int) {
        precondition((100...599).contains(code), "status code \(code) is outside 100 … 599")
        self.code = code
    }

    package static let ok = HTTPStatus(200)
    package static let noContent = HTTPStatus(204)
    package static let notModified = HTTPStatus(304)
    package static let badRequest = HTTPStatus(400)
    package static let notFound = HTTPStatus(404)
    package static let methodNotAllowed = HTTPStatus(405)
    package static let notAcceptable = HTTPStatus(406)
    package static let requestTimeout = HTTPStatus(408)
    package static let conflict = HTTPStatus(409)
    package static let contentTooLarge = HTTPStatus(413)
    package static let uriTooLong = HTTPStatus(414)
    package static let unsupportedMediaType = HTTPStatus(415)
    package static let expectationFailed = HTTPStatus(417)
    package static let unprocessableContent = HTTPStatus(422)
    package static let tooManyRequests = HTTPStatus(429)
    package static let requestHeaderFieldsTooLarge = HTTPStatus(431)
    package static let internalServerError = HTTPStatus(500)
    package static let notImplemented = HTTPStatus(501)
    package static let serviceUnavailable = HTTPStatus(503)
    package static let gatewayTimeout = HTTPStatus(504)
    package static let httpVersionNotSupported = HTTPStatus(505)

    /// The registered phrase, or a generic one for codes this server never sends by itself.
    package var reason: String {
        Self.reasons[code] ?? "Status"
    }

    package var description: String { "\(code) \(reason)" }

    /// Such an answer never has a body (RFC 9110 §6.4.1).
    var forbidsBody: Bool {
        code < 200 || code == 204 || code == 304
    }

    private static let reasons: [Int: String] = [
        100: "Continue", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content",
        301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
        307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout", 409: "Conflict",
        410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large",
        414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
        417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Content",
        428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
        507: "Insufficient Storage",
    ]
}
