import Compute
import Files
import HTTPTransport
import Images
import Logging
import Threads

/// The whole server: a folder of checkpoints, the service in front of it, and the sockets.
package final class Server: Sendable {
    private let service: TokenizerService
    private let http: HTTPServer
    /// For health and metrics alone; nil where they are beside the rest.
    private let admin: HTTPServer?
    private let watcher: CheckpointWatcher
    private let watching: DedicatedThread
    private let keeper: MemoryKeeper
    private let keeping: DedicatedThread
    private let trials: CanaryTrials
    /// nil where there are none.
    private let trying: DedicatedThread?
    /// nil where clients need no keys.
    private let keys: KeyRing?
    private let followingKeys: DedicatedThread?

    /// Memory that nothing has needed for so long goes back to the system.
    private static let memoryInterval = Duration.seconds(20)

    /// Listens, and loads checkpoints in the background: `/readyz` tells when the first one serves.
    /// - Throws: ``ConfigurationError`` if the folder cannot be read, `SystemError` if the address cannot be bound.
    /// - Parameters:
    ///   - droppedLogLines: how many nobody has read in time, for the metrics.
    ///   - returnHeap: gives free memory back to the system.
    package convenience init(
        _ configuration: ServerConfiguration, logger: Logger, droppedLogLines: @escaping @Sendable () -> Int = { 0 },
        returnHeap: @escaping @Sendable () -> Void = {}
    ) throws {
        try self.init(configuration, logger: logger, droppedLogLines: droppedLogLines, returnHeap: returnHeap) {
            try TokenizerEngine(loading: $0, precision: configuration.precision, threads: configuration.threads, while: $1)
        }
    }

    init(
        _ configuration: ServerConfiguration, logger: Logger, droppedLogLines: @escaping @Sendable () -> Int = { 0 },
        interval: Duration = .seconds(1), returnHeap: @escaping @Sendable () -> Void = {}, load: @escaping EngineLoader
    ) throws {
        do throws(FileError) {
            _ = try CheckpointScan.find(in: configuration.checkpoints)
        } catch {
            throw ConfigurationError(description: "\(error)")
        }
        let registry = ModelRegistry(residentVersions: configuration.residentVersions)
        let metrics = ServiceMetrics()
        let trials = CanaryTrials(configuration.canary)
        let watcher = try CheckpointWatcher(
            folder: configuration.checkpoints, registry: registry, trials: trials, logger: logger, metrics: metrics, load: load)
        let keys: KeyRing? = if let path = configuration.apiKeys { try KeyRing(path, logger: logger) } else { nil }
        let keeper = MemoryKeeper(returnHeap: returnHeap)
        let service = try TokenizerService(
            registry: registry, limits: TokenizerService.Limits(configuration), logger: logger, metrics: metrics, keys: keys,
            models: watcher, trials: trials, droppedLogLines: droppedLogLines)
        var listeners: [HTTPServer] = []
        do throws(SystemError) {
            let routes = Route.service(hasPlayground: configuration.hasPlayground, metricsAreElsewhere: configuration.adminPort != nil)
            listeners.append(
                try HTTPServer(configuration: HTTPServer.Configuration(configuration), handler: RoutedHandler(service: service, routes: routes)))
            if let port = configuration.adminPort {
                listeners.append(
                    try HTTPServer(
                        configuration: HTTPServer.Configuration(host: configuration.host, port: port),
                        handler: RoutedHandler(service: service, routes: Route.administration)))
            }
            watching = try DedicatedThread { watcher.run(every: interval) }
            self.keeper = keeper
            keeping = try DedicatedThread { keeper.run(every: Self.memoryInterval) }
            self.trials = trials
            trying = configuration.canary.share > 0 ? try DedicatedThread { trials.run { watcher.wake() } } : nil
            self.keys = keys
            followingKeys = if let keys { try DedicatedThread { keys.run(every: interval) } } else { nil }
        } catch {
            watcher.stop()
            trials.stop()
            keys?.stop()
            listeners.forEach { $0.stop(within: .zero) }
            service.close()
            throw error
        }
        service.tell(of: listeners[0])
        (self.service, self.watcher, http, admin) = (service, watcher, listeners[0], listeners.dropFirst().first)
    }

    /// Where it listens; the port is never 0.
    package var address: SocketAddress { http.address }

    /// Where health and metrics are, if they have a port of their own.
    var adminAddress: SocketAddress? { admin?.address }

    /// Says that it is about to stop: `/readyz` answers 503 and connections end with their next answer, so that whoever spreads the
    /// load takes this server out. Requests are served as before, but no other version is loaded.
    package func drain() {
        watcher.stop()
        service.drain()
        http.drain()
    }

    /// Refuses new clients, answers the requests in progress, and ends every thread.
    /// - Parameter timeout: after it, what is left is given up.
    package func stop(within timeout: Duration) {
        drain()
        http.stop(within: timeout)
        // Health and metrics to the last.
        admin?.stop(within: .zero)
        service.close()
        keeper.stop()
        trials.stop()
        keys?.stop()
        watching.join()
        keeping.join()
        trying?.join()
        followingKeys?.join()
    }
}

extension TokenizerService.Limits {
    fileprivate init(_ configuration: ServerConfiguration) {
        let batching = BatchScheduler<BatchQueue.Item>.Limits(
            maxBatch: configuration.maxBatch, maxDelay: configuration.maxDelay, maxQueue: configuration.maxQueue)
        self.init(batching: batching, poolThreads: configuration.threads)
        (imageBodyBytes, tokenBodyBytes) = (configuration.maxImageBytes, configuration.maxTokenBytes)
        (listItems, cacheBytes) = (configuration.maxList, configuration.cacheBytes)
        sizePixels = configuration.maxSizePixels
        (images, memoryBytes) = (configuration.images, configuration.pictureMemory)
        (answerWithin, stuckAfter, proxies) = (configuration.requestTimeout, configuration.stuckAfter, configuration.trustedProxies)
        crossOrigin = configuration.crossOrigin
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
