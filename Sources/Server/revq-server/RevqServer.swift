import CProcess
import FoundationEssentials
import Glibc
import Logging
import Service

@main
struct RevqServer {
    static func main() {
        do {
            switch try ServerCommand(Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment) {
            case .show(let text): print(text)
            case .serve(let configuration): try serve(configuration)
            case .probe(let configuration): try probe(configuration)
            }
        } catch {
            LogQueue.write("Error: \(error)\n", to: STDERR_FILENO)
            exit(error is ConfigurationError ? EX_USAGE : EXIT_FAILURE)
        }
    }

    private static func probe(_ configuration: ServerConfiguration) throws {
        let answer = try ReadinessProbe(configuration).ask()
        print(answer.line)
        exit(answer.isReady ? EXIT_SUCCESS : EXIT_FAILURE)
    }

    private static func serve(_ configuration: ServerConfiguration) throws {
        process_return_memory()
        var signals = ProcessSignals()
        let format = configuration.logFormat.resolved(for: STDERR_FILENO)
        let log = try LogQueue(note: format.note(ofDropped:)) { LogQueue.write($0, to: STDERR_FILENO) }
        let logger = Logger(label: "revq-server") { QueuedLogHandler(label: $0, format: format, queue: log) }
        let server = try Server(configuration, logger: logger, droppedLogLines: { log.droppedLines }, returnHeap: process_trim_heap)
        logger.info("listening", metadata: ["url": "http://\(server.address)", "checkpoints": "\(configuration.checkpoints)"])
        let signal = signals.wait()
        logger.info("draining", metadata: ["signal": "\(signal)", "delay": "\(configuration.drainDelay)"])
        server.drain()
        sleep(UInt32(configuration.drainDelay.components.seconds))
        server.stop(within: configuration.drainTimeout)
        logger.info("stopped")
        log.flush(within: .seconds(1))
    }
}

/// What the system sends a process, as something to wait for instead of something that strikes.
private struct ProcessSignals {
    private var set = sigset_t()

    /// Holds SIGTERM and SIGINT back; threads inherit this, so it comes before the first one is started. A log whose reader has gone
    /// must not end the server, so SIGPIPE is ignored.
    init() {
        signal(SIGPIPE, SIG_IGN)
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the first signal. The next one ends the process at once.
    /// - Returns: its name.
    mutating func wait() -> String {
        var signal: CInt = 0
        while sigwait(&set, &signal) != 0 {}
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        return signal == SIGINT ? "SIGINT" : "SIGTERM"
    }
}
