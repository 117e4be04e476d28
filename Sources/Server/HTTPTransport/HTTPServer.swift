import Locks
import Synchronization
import Threads

/// A server of HTTP/1.1 and HTTP/2, on one port and on its own threads; which of the two a client speaks, a handler need not know.
///
/// Each event loop accepts its own connections from the shared listening socket and keeps them. A server that is not
/// stopped serves until the process ends.
package final class HTTPServer: Sendable {
    /// Where the server really listens: the port is the bound one where 0 was asked for.
    package var address: SocketAddress { state.listener.address }
    /// Connections open now.
    package var openConnections: Int { state.openConnections.load(ordering: .relaxed) }
    /// Bytes of request bodies held now, from their arrival until their answer.
    package var bufferedBodyBytes: Int { state.budget.usedBytes }

    /// What has happened since it started.
    package var counts: Counts {
        var counts = Counts()
        state.counters.forEach { counts.add($0) }
        return counts
    }

    private struct Loop {
        let mailbox: LoopMailbox
        let thread: DedicatedThread
    }

    private let state: ServerState
    private let loops = Lock<[Loop]>([])

    /// Binds, listens and starts.
    /// - Throws: where the address cannot be bound or the system has no room for threads and descriptors.
    package init(configuration: Configuration, handler: any HTTPHandler) throws(SystemError) {
        configuration.checkRanges()
        state = try ServerState(configuration, handler: handler)
        do throws(SystemError) {
            for counters in state.counters {
                let mailbox = try LoopMailbox()
                let loop = try EventLoop(state, mailbox: mailbox, counters: counters)
                let thread = try DedicatedThread { loop.run() }
                loops.withLock { $0.append(Loop(mailbox: mailbox, thread: thread)) }
            }
        } catch {
            stop(within: .zero)
            throw error
        }
    }

    /// Ends every connection with its next answer from now on, so that clients move elsewhere. New ones are still served.
    package func drain() {
        loops.withLock { $0 }.forEach { $0.mailbox.post(.drain) }
    }

    /// Refuses new clients, closes idle connections, lets requests in work finish, and returns when all threads have ended.
    /// - Parameter grace: after it, what is left is cancelled and closed.
    package func stop(within grace: Duration) {
        let running = loops.withLock { loops in
            defer { loops = [] }
            return loops
        }
        let deadline = ContinuousClock.now + grace
        running.forEach { $0.mailbox.post(.stop(deadline: deadline)) }
        running.forEach { $0.thread.join() }
        SystemCalls.stopListening(state.listener.socket.descriptor)
    }
}

/// What the loops of one server share.
final class ServerState: Sendable {
    let handler: any HTTPHandler
    let listener: Listener
    let limits: HTTPLimits
    let budget: BodyBudget
    let connectionsPerLoop: Int
    let reservePerLoop: Int
    let addresses: AddressCounts
    let openConnections = Atomic(0)
    /// One for each loop.
    let counters: [LoopCounters]

    init(_ configuration: HTTPServer.Configuration, handler: any HTTPHandler) throws(SystemError) {
        self.handler = handler
        limits = configuration.limits
        counters = (0..<configuration.eventLoops).map { _ in LoopCounters() }
        budget = BodyBudget(bytes: configuration.bufferedBodyBytes)
        connectionsPerLoop = max(1, configuration.maximumConnections / configuration.eventLoops)
        reservePerLoop = (configuration.reservedConnections + configuration.eventLoops - 1) / configuration.eventLoops
        addresses = AddressCounts(limit: configuration.maximumConnectionsPerAddress)
        listener = try Listener(
            host: configuration.host, port: configuration.port, backlog: configuration.backlog)
    }
}
