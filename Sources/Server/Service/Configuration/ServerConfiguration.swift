import Compute
import HTTPTransport
import Images

/// Everything the server can be told, checked as a whole before anything is opened.
///
/// A setting is added by reading it in ``init(_:)`` or in what that calls for a group of them. Its flag, its variable, its key in a file, its line in `--help` and in
/// `--print-config` follow from that.
package struct ServerConfiguration: Sendable {
    package let checkpoints: String
    package let host: String
    package let port: UInt16
    /// nil for none: health and metrics are then beside the rest.
    package let adminPort: UInt16?
    /// Whether there is a page for people at `/`.
    package let hasPlayground: Bool
    package let threads: Int
    package let maxBatch: Int
    package let maxDelay: Duration
    package let maxQueue: Int
    package let precision: Precision
    package let maxConnections: Int
    package let maxConnectionsPerAddress: Int
    let trustedProxies: TrustedProxies
    /// The file of the keys that clients need; nil where they need none.
    let apiKeys: String?
    let crossOrigin: CrossOrigin?
    package let logFormat: LogFormat
    /// From a complete request to its answer.
    package let requestTimeout: Duration
    package let stuckAfter: Duration
    let maxImageBytes: Int
    let maxTokenBytes: Int
    let maxList: Int
    let maxSizePixels: Int
    let cacheBytes: Int
    let images: ImageLimits
    /// What all pictures that are being decoded may take together.
    let pictureMemory: Int
    let residentVersions: Int
    let canary: CanaryFigures.Policy
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
        adminPort = try read.optionalInteger(
            "admin-port", in: 0...65_535,
            "Port for health, /models, /metrics and /status alone, which no other load can keep out, or none. With it, /metrics is nowhere else."
        ).map { UInt16($0) }
        hasPlayground = try !read.isOn("no-playground", "Serve no page at /, where people try the tokenizer in a browser.")
        threads = try read.integer("threads", default: Processors.usable, in: 1...1_024, "Threads that compute.")
        maxBatch = try read.integer("max-batch", default: 8, in: 1...1_024, "Most images in one batch.")
        maxDelay = .milliseconds(
            try read.integer(
                "max-delay-ms", default: 0, in: 0...10_000,
                "Longest time the first image of a batch waits for others, in milliseconds. Batches form without it while the engine is busy."))
        maxQueue = try read.integer(
            "max-queue", default: 64, in: 1...65_536, "Most requests in progress of each kind: encode, decode, reconstruct. More are answered 429.")
        precision = try read.choice(
            "precision", default: .float32,
            "Precision of the large products: fp32, or where the processor has AMX-BF16 or AArch64's BF16 also bf16.")
        maxConnections = try read.integer("max-connections", default: 1_024, in: 1...65_536, "Most connections; more wait to be accepted.")
        maxConnectionsPerAddress = try read.integer(
            "max-connections-per-address", default: 512, in: 1...65_536,
            "Most connections from one address (of IPv6, its first 64 bits); beyond them whoever waits longest is closed.")
        bodyBudgetBytes = try read.integer(
            "max-buffered-bytes", default: HTTPServer.Configuration().bufferedBodyBytes, in: 1...1 << 40,
            "Bytes of all request bodies together; more are answered 503.")
        connectionLimits = try HTTPLimits(&read)
        trustedProxies = try Self.proxies(&read)
        (apiKeys, crossOrigin) = try Self.access(&read)
        logFormat = try read.choice(
            "log-format", default: .auto, "How log lines are written: as text, as json, or (auto) as text to a terminal and as JSON elsewhere.")
        (requestTimeout, stuckAfter, drainDelay, drainTimeout) = try Self.times(&read)
        (maxImageBytes, maxTokenBytes, pictureMemory) = try Self.sizes(&read)
        maxList = try read.integer(
            "max-list", default: 64, in: 1...65_536,
            "Most pictures, or tokens of as many, in one list; no more than --max-queue either. A longer one is answered 413.")
        maxSizePixels = try read.integer(
            "max-size-pixels", default: 1 << 20, in: 0...1 << 28,
            "Most pixels of a picture whose size ?size= says, width × height; 0 for none but the model's own. Each counts in queue, batch and quota "
                + "as the pictures of that size with as many pixels.")
        cacheBytes = try read.integer(
            "cache-bytes", default: 0, in: 0...1 << 40, "Bytes of results that are remembered for requests for the same; 0 for none.")
        images = try Self.images(&read)
        residentVersions = try read.integer(
            "resident-versions", default: 3, in: 1...64,
            "Versions of a model in memory: the current one, and those whose tokens can still be decoded.")
        canary = try Self.canary(&read)
        settings = read.settings
        try check(read)
    }

    private static func times(
        _ read: inout SettingReader
    ) throws(ConfigurationError) -> (request: Duration, stuck: Duration, drainDelay: Duration, drainTimeout: Duration) {
        let requestTimeout = try read.seconds(
            "request-timeout", default: 60, in: 1...3_600, "Seconds from a complete request to its answer. X-Request-Timeout-Ms asks for less.")
        let stuckAfter = try read.seconds(
            "stuck-after", default: 30, in: 1...3_600, "Seconds after which a batch or a picture that is not done makes /readyz answer 503.")
        let drainDelay = try read.seconds(
            "drain-delay", default: 0, in: 0...3_600,
            "Seconds between SIGTERM and the closing of the port. Meanwhile /readyz answers 503, and everything else is served.")
        let drainTimeout = try read.seconds(
            "drain-timeout", default: 25, in: 0...3_600, "Seconds that requests in progress may take once the port is closed.")
        return (requestTimeout, stuckAfter, drainDelay, drainTimeout)
    }

    private static func sizes(_ read: inout SettingReader) throws(ConfigurationError) -> (image: Int, tokens: Int, pictures: Int) {
        let maxImageBytes = try read.integer(
            "max-image-bytes", default: 32 << 20, in: 1...1 << 30, "Largest body of /encode and /reconstruct; a larger one is answered 413.")
        let maxTokenBytes = try read.integer(
            "max-token-bytes", default: 1 << 20, in: 1...1 << 30, "Largest body of /decode; a larger one is answered 413.")
        let pictureMemory = try read.integer(
            "picture-memory", default: 1 << 30, in: 1 << 20...1 << 40, "Bytes that all pictures being decoded may take together.")
        return (maxImageBytes, maxTokenBytes, pictureMemory)
    }

    private static func proxies(_ read: inout SettingReader) throws(ConfigurationError) -> TrustedProxies {
        let text = try read.text(
            "trusted-proxies", default: "none",
            "Addresses and networks (10.0.0.0/8,::1) whose X-Forwarded-For says who the client is, for the log.")
        guard text != "none" else { return .none }
        guard let proxies = TrustedProxies(text) else {
            throw read.wrong("trusted-proxies", "addresses and networks separated by commas, or none")
        }
        return proxies
    }

    private static func access(_ read: inout SettingReader) throws(ConfigurationError) -> (keys: String?, origins: CrossOrigin?) {
        let keys = try read.text(
            "api-keys", default: "none",
            "File of the keys that encode, decode, reconstruct and infer need: lines of a name, the SHA-256 of the key, and perhaps per-minute=N and "
                + "operations=encode,decode; or none. It is read again when it changes.")
        let origins = try read.text(
            "cors-origins", default: "none", "Origins whose pages may use the service from browsers (https://a.example), * for all, or none.")
        guard origins != "none" else { return (keys == "none" ? nil : keys, nil) }
        guard let crossOrigin = CrossOrigin(origins) else {
            throw read.wrong("cors-origins", "origins such as https://a.example separated by commas, * for all, or none")
        }
        return (keys == "none" ? nil : keys, crossOrigin)
    }

    private static func canary(_ read: inout SettingReader) throws(ConfigurationError) -> CanaryFigures.Policy {
        CanaryFigures.Policy(
            share: try read.integer(
                "canary", default: 0, in: 0...100,
                "Percent of the pictures encoded on which a new version is compared with the one that is served before it takes its place; 0 for no trial."
            ),
            pictures: try read.integer(
                "canary-pictures", default: 200, in: 1...1_000_000, "Pictures after which a canary that is not worse becomes the stable version."),
            mostLoss: try read.number(
                "canary-most-loss", default: 0.5, in: 0...100,
                "By how many dB a canary's pictures may be further from the originals, on average; one that is worse is rolled back."))
    }

    private static func images(_ read: inout SettingReader) throws(ConfigurationError) -> ImageLimits {
        var limits = ImageLimits(
            maxSide: try read.integer("max-image-side", default: 65_535, in: 1...65_535, "Longest width or height of a picture."),
            maxPixels: try read.integer("max-image-pixels", default: 64_000_000, in: 1...1 << 32, "Largest width × height of a picture."),
            maxDecodedBytes: try read.integer(
                "max-image-memory", default: 64 << 20, in: 1 << 20...1 << 36,
                "Most memory that decoding one picture may take, in bytes. Interlaced PNG and progressive JPEG are decoded as a whole."),
            maxScans: try read.integer("max-jpeg-scans", default: 32, in: 1...1_000, "Most scans of a JPEG; encoders write about ten."))
        limits.maxProcessorTime = .milliseconds(
            try read.integer(
                "picture-time-ms", default: 500, in: 1...600_000, "Processor time that decoding a picture may take, in milliseconds,"))
        limits.maxProcessorTimePerMegapixel = .milliseconds(
            try read.integer("picture-time-ms-per-megapixel", default: 25, in: 0...10_000, "and what each megapixel adds."))
        return limits
    }

    /// What one setting alone cannot tell.
    private func check(_ read: SettingReader) throws(ConfigurationError) {
        guard maxBatch <= maxQueue else {
            let (batch, queue) = (read.setting("max-batch").givenName, read.setting("max-queue").givenName)
            throw ConfigurationError(
                description: "\(batch) is \(maxBatch), more than \(queue), which is \(maxQueue); a batch cannot exceed the queue")
        }
        let windows = connectionLimits.http2
        guard windows.streamWindowBytes <= windows.connectionWindowBytes else {
            let (stream, connection) = (read.setting("http2-stream-window").givenName, read.setting("http2-connection-window").givenName)
            throw ConfigurationError(
                description:
                    "\(stream) is \(windows.streamWindowBytes), more than \(connection), which is \(windows.connectionWindowBytes); a body never has "
                    + "more room than its connection")
        }
        guard adminPort != port || port == 0 else {
            throw ConfigurationError(description: "\(read.setting("admin-port").givenName) is \(port), which is the port of the service itself")
        }
        if let obstacle = precision.obstacle ?? precision.drawback {
            throw ConfigurationError(description: "\(read.setting("precision").givenName) is \"\(precision.rawValue)\": \(obstacle)")
        }
    }

    /// One line per setting: its value, and where it came from.
    package var listing: String {
        settings.map { "\($0.name) = \($0.value) (\($0.origin))" }.joined(separator: "\n")
    }
}
