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
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int { Int(components.seconds) }
}
