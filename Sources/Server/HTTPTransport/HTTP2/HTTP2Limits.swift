/// What one HTTP/2 connection may cost beyond what ``HTTPLimits`` say of any connection: there, a body is a stream's, and a head is counted
/// as `SETTINGS_MAX_HEADER_LIST_SIZE` does, 32 bytes for each field besides its own.
package struct HTTP2Limits: Sendable, Equatable {
    /// Requests in progress at once; what is beyond is refused, and may be tried again.
    package var concurrentStreams = 100
    /// How many streams a client may reset, or make the server reset, in one second; at more the connection ends (CVE-2023-44487).
    package var resetsPerSecond = 100
    /// The same of SETTINGS, PING, PRIORITY, GOAWAY and empty frames, and of WINDOW_UPDATE beyond one for each KiB sent and two for each answer.
    package var controlFramesPerSecond = 500
    /// The entries of one SETTINGS frame.
    package var settings = 32
    /// The frames that a head may be continued in.
    package var continuations = 8
    /// How much of a body a client may send before the server says go on.
    package var streamWindowBytes = 1 << 20
    /// The same of all bodies of a connection.
    package var connectionWindowBytes = 8 << 20

    package init() {}
}
