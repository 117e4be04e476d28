import HTTPTransport

extension HTTPLimits {
    init(_ read: inout SettingReader) throws(ConfigurationError) {
        self.init()
        requestLineBytes = try read.integer(
            "max-request-line-bytes", default: requestLineBytes, in: 64...1 << 20, "Longest request line; a longer one is answered 414.")
        headBytes = try read.integer(
            "max-head-bytes", default: headBytes, in: 256...1 << 20, "Largest request head; a larger one is answered 431.")
        headerFields = try read.integer("max-header-fields", default: headerFields, in: 1...10_000, "Most header fields; more are answered 431.")
        smallChunks = try read.integer(
            "max-small-chunks", default: smallChunks, in: 0...1 << 30, "Most chunks of less than 256 bytes in one body; more are answered 400.")
        discardBytes = try read.integer(
            "max-discarded-bytes", default: discardBytes, in: 0...1 << 30,
            "Most bytes of a refused body that are read and thrown away to keep the connection.")
        headTimeout = try read.seconds(
            "head-timeout", default: headTimeout.wholeSeconds, in: 1...3_600, "Seconds from the first byte of a request's head to its last.")
        bodyTimeout = try read.seconds(
            "body-timeout", default: bodyTimeout.wholeSeconds, in: 1...86_400, "Seconds that a request's body may take at any rate.")
        writeTimeout = try read.seconds(
            "write-timeout", default: writeTimeout.wholeSeconds, in: 1...86_400, "Seconds that a client may take to read an answer at any rate.")
        keepAliveTimeout = try read.seconds(
            "idle-timeout", default: keepAliveTimeout.wholeSeconds, in: 1...86_400, "Seconds that a connection may rest between requests.")
        transferGrace = try read.seconds(
            "min-rate-grace", default: transferGrace.wholeSeconds, in: 1...3_600, "Seconds that a body or an answer may stall before its rate counts."
        )
        minimumBytesPerSecond = try read.integer(
            "min-rate", default: minimumBytesPerSecond, in: 1...1 << 30,
            "Slowest average rate of a body that comes or an answer that is read, in bytes per second.")
        http2 = try HTTP2Limits(&read)
    }
}

extension HTTP2Limits {
    fileprivate init(_ read: inout SettingReader) throws(ConfigurationError) {
        self.init()
        concurrentStreams = try read.integer(
            "http2-max-streams", default: concurrentStreams, in: 1...10_000,
            "Most requests in progress on one HTTP/2 connection; more are refused, to be tried again.")
        resetsPerSecond = try read.integer(
            "http2-max-resets", default: resetsPerSecond, in: 1...1 << 20,
            "Most HTTP/2 requests that a client may cancel in one second; more end its connection.")
        controlFramesPerSecond = try read.integer(
            "http2-max-control-frames", default: controlFramesPerSecond, in: 10...1 << 20,
            "Most HTTP/2 frames that are neither a head nor a body (SETTINGS, PING, PRIORITY, empty DATA) in one second; more end the connection.")
        settings = try read.integer(
            "http2-max-settings", default: settings, in: 8...10_000, "Most entries of one SETTINGS frame of HTTP/2; more end the connection.")
        continuations = try read.integer(
            "http2-max-continuations", default: continuations, in: 1...1_000,
            "Most CONTINUATION frames of one head of HTTP/2; more end the connection.")
        streamWindowBytes = try read.integer(
            "http2-stream-window", default: streamWindowBytes, in: 65_535...1 << 30,
            "Bytes of one body that an HTTP/2 client may send before it must be told to go on.")
        connectionWindowBytes = try read.integer(
            "http2-connection-window", default: connectionWindowBytes, in: 65_535...1 << 30,
            "Bytes of all bodies on a connection that an HTTP/2 client may send before it must be told to go on.")
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int { Int(components.seconds) }
}
