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
    /// After the last answer: how long, and for how many bytes, to read what the client still sends, so that it sees the
    /// answer and not a reset.
    package var lingerTimeout = Duration.seconds(3)
    package var lingerBytes = 16 << 20

    package init() {}
}
