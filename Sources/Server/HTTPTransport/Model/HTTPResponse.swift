/// An answer. The transport adds `Content-Length`, `Date` and `Connection`, and leaves the body out for `HEAD`.
package struct HTTPResponse: Sendable, Equatable {
    package var status: HTTPStatus
    /// `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` set here are ignored: the transport knows better.
    /// Control characters in a value are sent as spaces, so a value echoed from a request cannot split the answer.
    package var headers: HTTPHeaders
    package var body: [UInt8]

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
