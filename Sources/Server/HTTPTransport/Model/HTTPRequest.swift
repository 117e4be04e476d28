/// Everything of a request that precedes its body.
package struct HTTPRequestHead: Sendable, Equatable {
    package let method: HTTPMethod
    /// As sent: `/encode?model=default`.
    package let target: String
    /// The decoded path, starting with `/`; `*` for `OPTIONS *`. Dot segments are kept: routes are compared whole, never
    /// mapped to files.
    package let path: String
    package let query: HTTPQuery
    package let version: HTTPVersion
    /// Trailer fields of a chunked body are checked, then dropped: they never appear here.
    package let headers: HTTPHeaders
    package let peer: SocketAddress
    /// The announced body size; `nil` for a chunked body, 0 where there is none.
    package let contentLength: Int?

    package init(
        method: HTTPMethod, target: String, path: String, query: HTTPQuery = HTTPQuery(),
        version: HTTPVersion = .http1_1, headers: HTTPHeaders = [:],
        peer: SocketAddress = SocketAddress(host: "127.0.0.1", port: 0), contentLength: Int? = 0
    ) {
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.version = version
        self.headers = headers
        self.peer = peer
        self.contentLength = contentLength
    }
}

/// A complete request, as a handler gets it.
package struct HTTPRequest: Sendable, Equatable {
    package let head: HTTPRequestHead
    /// Without chunk framing; at most the size its admission allowed.
    package let body: [UInt8]

    package init(head: HTTPRequestHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }
}
