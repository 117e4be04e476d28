extension HTTPServer {
    /// Where to listen and what the whole server may hold.
    package struct Configuration: Sendable, Equatable {
        /// An IPv4 or IPv6 address, or a name for one; `::` listens on both families.
        package var host: String
        /// 0 for any free port.
        package var port: UInt16
        /// Threads that move bytes; one carries far more images than two cores can encode.
        package var eventLoops = 1
        /// Over all loops; more clients wait in the kernel's queue.
        package var maximumConnections = 1024
        /// From one address; for the next one, whoever has waited longest goes, or else the new one.
        package var maximumConnectionsPerAddress = 1024
        /// Beyond `maximumConnections`, for clients whose request is answered at once, such as a health check; others get 503.
        package var reservedConnections = 0
        /// How many clients may wait to be accepted; the kernel caps it.
        package var backlog = 1024
        /// The bytes of all request bodies from their arrival until their answer; beyond it, 503.
        package var bufferedBodyBytes = 256 << 20
        package var limits = HTTPLimits()

        package init(host: String = "127.0.0.1", port: UInt16 = 0) {
            self.host = host
            self.port = port
        }

        func checkRanges() {
            precondition(eventLoops >= 1, "\(eventLoops) event loops; expected at least 1")
            precondition(maximumConnections >= 1, "at most \(maximumConnections) connections; expected at least 1")
            precondition(maximumConnectionsPerAddress >= 1 && reservedConnections >= 0, "no connection would be served")
            precondition(bufferedBodyBytes >= 0, "\(bufferedBodyBytes) bytes for bodies; expected 0 or more")
            precondition(limits.minimumBytesPerSecond >= 1, "a minimum rate of \(limits.minimumBytesPerSecond) bytes/s")
        }
    }
}

/// What one connection may cost: sizes in bytes, times as durations. The defaults suit image uploads over the internet.
package struct HTTPLimits: Sendable, Equatable {
    /// Method, target and version; a longer line is answered with 414.
    package var requestLineBytes = 8 << 10
    /// Request line and header fields, or the trailer fields of one body; more is answered with 431.
    package var headBytes = 32 << 10
    /// Header or trailer fields of one request; more is answered with 431.
    package var headerFields = 100

    /// From the first byte of a head (or from the accept) to its end, however slowly bytes trickle in.
    package var headTimeout = Duration.seconds(10)
    /// How long a connection may rest between requests.
    package var keepAliveTimeout = Duration.seconds(60)
    /// From the complete request to the answer, unless its admission says otherwise.
    package var answerTimeout = Duration.seconds(60)
    /// A body or an answer may take this long plus its bytes divided by `minimumBytesPerSecond`.
    package var transferGrace = Duration.seconds(10)
    /// The slowest average rate at which a client may send a body or read an answer; at least 1.
    package var minimumBytesPerSecond = 4 << 10
    /// The longest that a whole body, or the reading of a whole answer, may take at any rate.
    package var bodyTimeout = Duration.seconds(300)
    package var writeTimeout = Duration.seconds(300)
    /// How much of a body that nobody wants is read and thrown away, so that the connection serves the next request.
    package var discardBytes = 1 << 20
    /// How many chunks of a body may be small; more are answered with 400.
    package var smallChunks = 16 << 10
    /// After the last answer: how long, and for how many bytes, to read what the client still sends, so that it sees the
    /// answer and not a reset.
    package var lingerTimeout = Duration.seconds(3)
    package var lingerBytes = 16 << 20

    /// What only HTTP/2 has.
    package var http2 = HTTP2Limits()

    /// What a client must reach once others need what it holds.
    var briskBytesPerSecond: Double { 16 * Double(minimumBytesPerSecond) }

    package init() {}
}
