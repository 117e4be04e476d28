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
    /// The announced body size; `nil` where it is not announced (a chunked body, most of HTTP/2), 0 where there is none.
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

/// A request method, case-sensitive as RFC 9110 §9.1 demands: `get` is not `GET`.
package struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package static let get = HTTPMethod(rawValue: "GET")
    package static let head = HTTPMethod(rawValue: "HEAD")
    package static let post = HTTPMethod(rawValue: "POST")
    package static let put = HTTPMethod(rawValue: "PUT")
    package static let delete = HTTPMethod(rawValue: "DELETE")
    package static let options = HTTPMethod(rawValue: "OPTIONS")
    package static let connect = HTTPMethod(rawValue: "CONNECT")

    package var description: String { rawValue }
}

/// The protocol a request arrived by.
package enum HTTPVersion: String, Sendable, CaseIterable {
    case http1_0 = "HTTP/1.0"
    case http1_1 = "HTTP/1.1"
    case http2 = "HTTP/2"
}
