import Synchronization

/// What the loops of one server share.
final class ServerState: Sendable {
    let handler: any HTTPHandler
    let listener: Listener
    let limits: HTTPLimits
    let budget: BodyBudget
    let connectionsPerLoop: Int
    let openConnections = Atomic(0)

    init(_ configuration: HTTPServer.Configuration, handler: any HTTPHandler) throws(SystemError) {
        self.handler = handler
        limits = configuration.limits
        budget = BodyBudget(bytes: configuration.bufferedBodyBytes)
        connectionsPerLoop = max(1, configuration.maximumConnections / configuration.eventLoops)
        listener = try Listener(
            host: configuration.host, port: configuration.port, backlog: configuration.backlog)
    }
}
