/// Everything of a request that precedes its body.
public struct HTTPRequestHead: Sendable, Equatable {
    public let method: HTTPMethod
    /// As sent: `/encode?model=default`.
    public let target: String
    /// The decoded path, starting with `/`; `*` for `OPTIONS *`. Dot segments are kept: routes are compared whole, never
    /// mapped to files.
    public let path: String
    public let query: HTTPQuery
    public let version: HTTPVersion
    /// Trailer fields of a chunked body are checked, then dropped: they never appear here.
    public let headers: HTTPHeaders
    public let peer: SocketAddress
    /// The announced body size; `nil` for a chunked body, 0 where there is none.
    public let contentLength: Int?

    public init(
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
public struct HTTPRequest: Sendable, Equatable {
    public let head: HTTPRequestHead
    /// Without chunk framing; at most the size its admission allowed.
    public let body: [UInt8]

    public init(head: HTTPRequestHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }
}
