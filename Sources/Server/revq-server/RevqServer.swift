import ArgumentParser
import FoundationEssentials
import Logging
import Service

@main
struct RevqServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revq-server", abstract: "Serves a visual tokenizer over HTTP.",
        discussion: "Every option has an environment variable, REVQ_ and its name in capitals: REVQ_MAX_BATCH. The option wins.")

    @Option(help: Setting.checkpoints.argumentHelp) var checkpoints: String?
    @Option(help: Setting.host.argumentHelp) var host: String?
    @Option(help: Setting.port.argumentHelp) var port: String?
    @Option(help: Setting.threads.argumentHelp) var threads: String?
    @Option(help: Setting.maxBatch.argumentHelp) var maxBatch: String?
    @Option(help: Setting.maxDelayMilliseconds.argumentHelp) var maxDelayMs: String?
    @Option(help: Setting.maxQueue.argumentHelp) var maxQueue: String?
    @Option(help: Setting.precision.argumentHelp) var precision: String?
    @Flag(help: "Show every setting with its origin, and exit.") var printConfig = false

    /// How long requests in progress may still take once the server is told to stop.
    private static let grace = Duration.seconds(25)

    func run() throws {
        let configuration = try ServerConfiguration(flags: flags, environment: ProcessInfo.processInfo.environment)
        if printConfig { print(configuration.listing) } else { try serve(configuration) }
    }

    private var flags: [Setting: String] {
        let values: [Setting: String?] = [
            .checkpoints: checkpoints, .host: host, .port: port, .threads: threads, .maxBatch: maxBatch, .maxDelayMilliseconds: maxDelayMs,
            .maxQueue: maxQueue, .precision: precision,
        ]
        return values.compactMapValues { $0 }
    }

    private func serve(_ configuration: ServerConfiguration) throws {
        var signals = TerminationSignals()
        let logger = Logger(label: "revq-server") { StreamLogHandler.standardError(label: $0) }
        let server = try Server(configuration, logger: logger)
        logger.info("listening", metadata: ["url": "\(server.url)", "checkpoints": "\(configuration.checkpoints)"])
        let signal = signals.wait()
        logger.info("stopping", metadata: ["signal": "\(signal)"])
        server.stop(within: Self.grace)
        logger.info("stopped")
    }
}

extension Setting {
    fileprivate var argumentHelp: ArgumentHelp {
        ArgumentHelp("\(help) (default: \(standard))", valueName: "value")
    }
}
