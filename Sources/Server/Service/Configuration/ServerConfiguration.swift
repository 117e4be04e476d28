import Compute
import HTTPTransport

/// Everything the server can be told, checked as a whole before anything is opened.
///
/// A setting is added by reading it in ``init(_:)``. Its flag, its variable, its key in a file, its line in `--help` and in
/// `--print-config` follow from that.
package struct ServerConfiguration: Sendable {
    package let checkpoints: String
    package let host: String
    package let port: UInt16
    package let threads: Int
    package let maxBatch: Int
    package let maxDelay: Duration
    package let maxQueue: Int
    package let precision: Precision
    package let maxConnections: Int
    package let maxConnectionsPerAddress: Int
    package let bodyBudgetBytes: Int
    /// What one connection may cost.
    package let connectionLimits: HTTPLimits
    package let drainDelay: Duration
    package let drainTimeout: Duration
    let settings: [Setting]

    /// - Throws: ``ConfigurationError`` naming the setting as the user gave it, its value, and what was expected.
    init(_ sources: SettingSources) throws(ConfigurationError) {
        var read = SettingReader(sources)
        checkpoints = try read.text("checkpoints", default: "checkpoints", "Folder of checkpoints, laid out as MODEL/VERSION/manifest.json.")
        host = try read.text("host", default: "127.0.0.1", "Address or host name to listen on; :: for all of them.")
        port = UInt16(try read.integer("port", default: 8080, in: 0...65_535, "Port to listen on; 0 for any that is free."))
        threads = try read.integer("threads", default: Processors.usable, in: 1...1_024, "Threads that compute.")
        maxBatch = try read.integer("max-batch", default: 8, in: 1...1_024, "Most images in one batch.")
        maxDelay = .milliseconds(
            try read.integer(
                "max-delay-ms", default: 0, in: 0...10_000,
                "Longest time the first image of a batch waits for others, in milliseconds. Batches form without it while the engine is busy."))
        maxQueue = try read.integer("max-queue", default: 64, in: 1...65_536, "Most requests in progress; more are answered 429.")
        precision = try read.choice(
            "precision", default: .float32,
            "Precision of the large products: fp32, or where the processor has AMX-BF16 or AVX512-BF16 also bf16.")
        maxConnections = try read.integer("max-connections", default: 1_024, in: 1...65_536, "Most connections; more wait to be accepted.")
        maxConnectionsPerAddress = try read.integer(
            "max-connections-per-address", default: 512, in: 1...65_536,
            "Most connections from one address; beyond them whoever waits longest is closed.")
        bodyBudgetBytes = try read.integer(
            "max-buffered-bytes", default: HTTPServer.Configuration().bufferedBodyBytes, in: 1...1 << 40,
            "Bytes of all request bodies together; more are answered 503.")
        connectionLimits = try HTTPLimits(&read)
        drainDelay = try read.seconds(
            "drain-delay", default: 0, in: 0...3_600,
            "Seconds between SIGTERM and the closing of the port. Meanwhile /readyz answers 503, and everything else is served.")
        drainTimeout = try read.seconds(
            "drain-timeout", default: 25, in: 0...3_600, "Seconds that requests in progress may take once the port is closed.")
        settings = read.settings
        try check(read)
    }

    /// What one setting alone cannot tell.
    private func check(_ read: SettingReader) throws(ConfigurationError) {
        guard maxBatch <= maxQueue else {
            let (batch, queue) = (read.setting("max-batch").givenName, read.setting("max-queue").givenName)
            throw ConfigurationError(
                description: "\(batch) is \(maxBatch), more than \(queue), which is \(maxQueue); a batch cannot exceed the queue")
        }
        if let obstacle = precision.obstacle {
            throw ConfigurationError(description: "\(read.setting("precision").givenName) is \"\(precision.rawValue)\": \(obstacle)")
        }
    }

    /// One line per setting: its value, and where it came from.
    package var listing: String {
        settings.map { "\($0.name) = \($0.value) (\($0.origin))" }.joined(separator: "\n")
    }
}
