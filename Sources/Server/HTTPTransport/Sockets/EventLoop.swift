import Threads

/// One thread's connections, and its share of accepting new ones. After `init` only that thread touches it.
final class EventLoop {
    typealias Instant = ContinuousClock.Instant

    private static let mailboxIdentifier: UInt64 = 0
    private static let acceptorIdentifier: UInt64 = 1
    /// How long to leave clients waiting where the system has no descriptor for them.
    private static let exhaustionPause = Duration.milliseconds(100)
    /// How long to leave them where every connection is in use, unless one closes.
    private static let fullPause = Duration.seconds(1)

    private let state: ServerState
    private var context: LoopContext
    private var poller: Poller
    private var acceptor: Acceptor
    private var connections: [UInt64: ServerConnection] = [:]
    private var nextIdentifier = acceptorIdentifier + 1
    private var deadlines = DeadlineQueue()
    private var isDraining = false
    private var stopDeadline: Instant?
    private let buffer: UnsafeMutableRawBufferPointer

    init(_ state: ServerState, mailbox: LoopMailbox) throws(SystemError) {
        self.state = state
        context = LoopContext(handler: state.handler, mailbox: mailbox)
        poller = try Poller()
        acceptor = try Acceptor(state.listener, identifier: Self.acceptorIdentifier)
        try poller.add(mailbox.descriptor, .reading, identifier: Self.mailboxIdentifier)
        try acceptor.resume(poller)
        buffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Serves until it is told to stop and everything in work is finished or out of time.
    func run() {
        while stopDeadline == nil || !connections.isEmpty {
            let messages = context.mailbox.takeOrSleep()
            let ready = messages.isEmpty ? poller.wait(timeUntilNextDeadline) : []
            let now = ContinuousClock.now
            context.updateDate()
            messages.forEach { handle($0, at: now) }
            ready.forEach { handle($0, at: now) }
            expire(at: now)
        }
    }

    private var timeUntilNextDeadline: Duration? {
        let next = [deadlines.earliest, stopDeadline].compactMap(\.self).min()
        return next.map { ContinuousClock.now.duration(to: $0) }
    }

    private func handle(_ message: LoopMailbox.Message, at now: Instant) {
        switch message {
        case .answer(let identifier, let exchange, let response):
            guard let connection = connections[identifier] else { return }
            connection.answer(
                response, exchange: exchange, isLast: isDraining || connection.isReserve, date: context.date, at: now)
            settle(connection, at: now)
        case .drain:
            isDraining = true
        case .stop(let deadline):
            stopDeadline = deadline
            acceptWaiting(at: now)
            acceptor.pause(poller)
            SystemCalls.stopListening(state.listener.socket.descriptor)
            for connection in connections.values {
                // A request that has reached the socket is not lost only because nobody has looked yet.
                connection.read(into: buffer, at: now)
                connection.machine.finish()
                settle(connection, at: now)
            }
        }
    }

    private func handle(_ ready: Poller.Ready, at now: Instant) {
        switch ready.identifier {
        case Self.mailboxIdentifier:
            context.mailbox.clearWakeup()
        case Self.acceptorIdentifier:
            accept(at: now)
        default:
            guard let connection = connections[ready.identifier] else { return }
            if ready.isBroken {
                connection.abandon(.disconnected)
            } else if ready.isReadable {
                connection.read(into: buffer, at: now)
            }
            settle(connection, at: now)
        }
    }

    private func accept(at now: Instant) {
        // Bounded, so that a flood of new clients cannot starve those already here.
        for attempt in 0..<64 {
            let isFull = connections.count >= state.connectionsPerLoop
            // Only the poller knows whether another client waits; room is not made for nobody.
            guard !isFull || attempt == 0 else { return }
            let isReserve = isFull && !closeLongestWaiting(at: now)
            if isReserve, connections.count >= state.connectionsPerLoop + state.reservePerLoop {
                return pauseAccepting(for: Self.fullPause, at: now)
            }
            switch acceptor.accept() {
            case .connection(let descriptor, let peer):
                adopt(Socket(owning: descriptor), peer: peer, isReserve: isReserve, at: now)
            case .none:
                return
            case .exhausted:
                guard !acceptor.shed() else { continue }
                return pauseAccepting(for: Self.exhaustionPause, at: now)
            }
        }
    }

    /// Takes everyone whom the kernel has already let in: closing the listener would reset them.
    private func acceptWaiting(at now: Instant) {
        while connections.count < state.connectionsPerLoop, case .connection(let descriptor, let peer) = acceptor.accept() {
            adopt(Socket(owning: descriptor), peer: peer, isReserve: false, at: now)
        }
    }

    /// At the limit, the connection that has gone longest without a whole request goes: one that only might be used, or that sends
    /// a byte now and then, must not keep out a client that is here. One that waited for a moment stays: it is likely in use.
    /// - Returns: false if there is none.
    private func closeLongestWaiting(at now: Instant) -> Bool {
        var oldest: ServerConnection?
        var waitStart = now - Self.fullPause
        for connection in connections.values {
            guard let start = connection.machine.waitStart, start <= waitStart else { continue }
            (oldest, waitStart) = (connection, start)
        }
        guard let oldest else { return false }
        oldest.machine.close()
        settle(oldest, at: now)
        return true
    }

    private func adopt(_ socket: consuming Socket, peer: SocketAddress, isReserve: Bool, at now: Instant) {
        guard let address = state.addresses.enter(peer.host) else { return }
        let machine = HTTP1Connection(peer: peer, limits: state.limits, budget: state.budget, at: now)
        let connection = ServerConnection(
            socket, identifier: nextIdentifier, address: address, isReserve: isReserve, machine: machine)
        do throws(SystemError) {
            try connection.socket.sendAtOnce()
            try poller.add(connection.socket.descriptor, connection.interest, identifier: connection.identifier)
        } catch {
            return  // The client is gone already, or the kernel cannot watch one more: closing is all that is left.
        }
        nextIdentifier += 1
        connections[connection.identifier] = connection
        state.openConnections.add(1, ordering: .relaxed)
        schedule(connection)
    }

    /// Brings a connection that may have changed to rest: acts, writes, and updates what is waited for.
    private func settle(_ connection: ServerConnection, at now: Instant) {
        connection.advance(context, at: now)
        guard !connection.isClosed else { return remove(connection) }
        let wanted = connection.wantedInterest
        if wanted != connection.interest {
            connection.interest = wanted
            poller.change(connection.socket.descriptor, wanted, identifier: connection.identifier)
        }
        schedule(connection)
    }

    private func remove(_ connection: ServerConnection) {
        connections[connection.identifier] = nil
        poller.remove(connection.socket.descriptor)
        state.openConnections.subtract(1, ordering: .relaxed)
        resumeAccepting()
    }

    private func pauseAccepting(for pause: Duration, at now: Instant) {
        acceptor.pause(poller)
        deadlines.insert(.init(deadline: now + pause, identifier: Self.acceptorIdentifier))
    }

    private func resumeAccepting() {
        guard stopDeadline == nil else { return }
        do throws(SystemError) {
            try acceptor.resume(poller)
        } catch {
            // No memory to watch the listener: the next connection that closes tries again.
        }
    }

    /// Queues a deadline only where it is earlier than the one already queued.
    private func schedule(_ connection: ServerConnection) {
        guard let deadline = connection.machine.deadline else { return }
        if let queued = connection.queuedDeadline, queued <= deadline { return }
        connection.queuedDeadline = deadline
        deadlines.insert(.init(deadline: deadline, identifier: connection.identifier))
    }

    private func expire(at now: Instant) {
        while let entry = deadlines.takeDue(at: now) {
            if entry.identifier == Self.acceptorIdentifier {
                resumeAccepting()
            } else if let connection = connections[entry.identifier], connection.queuedDeadline == entry.deadline {
                connection.queuedDeadline = nil
                connection.machine.expire(at: now)
                settle(connection, at: now)
            }
        }
        if let stopDeadline, stopDeadline <= now {
            for connection in connections.values {
                connection.abandon(.serverStopped)
                settle(connection, at: now)
            }
        }
    }
}
