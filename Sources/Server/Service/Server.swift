import Compute
import Files
import HTTPTransport
import Logging
import Threads

/// The whole server: a folder of checkpoints, the service in front of it, and the sockets.
package final class Server: Sendable {
    /// How many versions of a model stay in memory: the current one, and two whose tokens can still be decoded.
    private static let residentVersions = 3

    private let service: TokenizerService
    private let http: HTTPServer
    private let watcher: CheckpointWatcher
    private let watching: DedicatedThread

    /// Listens, and loads checkpoints in the background: `/readyz` tells when the first one serves.
    /// - Throws: ``ConfigurationError`` if the folder cannot be read, `SystemError` if the address cannot be bound.
    package convenience init(_ configuration: ServerConfiguration, logger: Logger) throws {
        try self.init(configuration, logger: logger) {
            try TokenizerEngine(loading: $0, precision: configuration.precision, threads: configuration.threads)
        }
    }

    init(_ configuration: ServerConfiguration, logger: Logger, interval: Duration = .seconds(1), load: @escaping EngineLoader) throws {
        do throws(FileError) {
            _ = try CheckpointScan.find(in: configuration.checkpoints)
        } catch {
            throw ConfigurationError(description: "\(error)")
        }
        let registry = ModelRegistry(residentVersions: Self.residentVersions)
        let watcher = CheckpointWatcher(folder: configuration.checkpoints, registry: registry, logger: logger, load: load)
        let service = try TokenizerService(registry: registry, limits: TokenizerService.Limits(configuration), logger: logger)
        do throws(SystemError) {
            let http = try HTTPServer(configuration: HTTPServer.Configuration(configuration), handler: service)
            do throws(SystemError) {
                watching = try DedicatedThread { watcher.run(every: interval) }
            } catch {
                http.stop(within: .zero)
                throw error
            }
            self.http = http
        } catch {
            service.close()
            throw error
        }
        (self.service, self.watcher) = (service, watcher)
    }

    /// Where it listens; the port is never 0.
    package var address: SocketAddress { http.address }

    /// Says that it is about to stop: `/readyz` answers 503 and connections end with their next answer, so that whoever spreads the
    /// load takes this server out. Requests are served as before.
    package func drain() {
        service.drain()
        http.drain()
    }

    /// Refuses new clients, answers the requests in progress, and ends every thread.
    /// - Parameter timeout: after it, what is left is given up.
    package func stop(within timeout: Duration) {
        drain()
        http.stop(within: timeout)
        service.close()
        watcher.stop()
        watching.join()
    }
}

extension TokenizerService.Limits {
    fileprivate init(_ configuration: ServerConfiguration) {
        let batching = BatchScheduler<BatchQueue.Item>.Limits(
            maxBatch: configuration.maxBatch, maxDelay: configuration.maxDelay, maxQueue: configuration.maxQueue)
        self.init(batching: batching, poolThreads: configuration.threads)
    }
}

extension HTTPServer.Configuration {
    /// Connections that are always left for health checks, which are answered at once.
    private static let reserve = 16

    fileprivate init(_ configuration: ServerConfiguration) {
        self.init(host: configuration.host, port: configuration.port)
        maximumConnections = configuration.maxConnections
        maximumConnectionsPerAddress = configuration.maxConnectionsPerAddress
        reservedConnections = Self.reserve
        bufferedBodyBytes = configuration.bodyBudgetBytes
        limits = configuration.connectionLimits
    }
}
