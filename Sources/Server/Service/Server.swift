import Compute
import HTTPTransport
import Logging

/// The whole server: a folder of checkpoints, the service in front of it, and the sockets.
package final class Server: Sendable {
    /// How many versions of a model stay in memory: the current one, and two whose tokens can still be decoded.
    private static let residentVersions = 3

    private let service: TokenizerService
    private let watcher: CheckpointWatcher
    private let http: HTTPServer

    /// Listens, and loads checkpoints in the background: `/readyz` tells when the first one serves.
    /// - Throws: ``ConfigurationError`` if the folder cannot be read, `SystemError` if the address cannot be bound.
    package convenience init(_ configuration: ServerConfiguration, logger: Logger) throws {
        try self.init(configuration, logger: logger) { 
            try TokenizerEngine(loading: $0, precision: configuration.precision, threads: configuration.threads)
        }
    }

    init(_ configuration: ServerConfiguration, logger: Logger, interval: Duration = .seconds(1), load: @escaping EngineLoader) throws {
        do throws(ScanError) {
            _ = try CheckpointScan.find(in: configuration.checkpoints)
        } catch {
            throw ConfigurationError(description: "\(error)")
        }
        let registry = ModelRegistry(residentVersions: Self.residentVersions)
        let batching = BatchScheduler<BatchQueue.Item>.Limits(
            maxBatch: configuration.maxBatch, maxDelay: configuration.maxDelay, maxQueue: configuration.maxQueue)
        service = TokenizerService(
            registry: registry, limits: TokenizerService.Limits(batching: batching, poolThreads: configuration.threads), logger: logger)
        do throws(SystemError) {
            http = try HTTPServer(
                configuration: HTTPServer.Configuration(host: configuration.host, port: configuration.port), handler: service)
        } catch {
            service.close()
            throw error
        }
        watcher = CheckpointWatcher(
            folder: configuration.checkpoints, registry: registry, interval: interval, logger: logger, load: load)
    }

    /// Where it listens, such as `http://127.0.0.1:8080`.
    package var url: String { "http://\(http.address)" }

    /// Refuses new requests, answers those in progress, and ends every thread.
    /// - Parameter grace: after it, what is left is given up.
    package func stop(within grace: Duration) {
        service.drain()
        http.stop(within: grace)
        service.close()
        watcher.stop()
    }
}
