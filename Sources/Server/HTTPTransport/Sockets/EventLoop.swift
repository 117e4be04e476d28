import Threads

/// One thread's connections, and its share of accepting new ones. After `init` only that thread touches it.
final class EventLoop {
    typealias Instant = ContinuousClock.Instant

    private static let mailboxIdentifier: UInt64 = 0
    private static let acceptorIdentifier: UInt64 = 1
    /// How long to leave clients waiting where the system has no descriptor for them.
    private static let exhaustionPause = Duration.milliseconds(100)
    /// How long to leave them where every connection is in use, unless one closes.
    private static let fullPause = Evictions.patience
    /// How many to accept before those already here have their turn.
    private static let acceptsPerTurn = 64

    private let state: ServerState
    private var context: LoopContext
    private var poller: Poller
    private var acceptor: Acceptor
    private var connections: [UInt64: ServerConnection] = [:]
    private var nextIdentifier = acceptorIdentifier + 1
    private var deadlines = DeadlineQueue()
    private var evictions: Evictions
    /// Connections to bring to rest in this turn, or, where they have more to do than one turn allows, in the next.
    private var touched: [UInt64] = []
    private var stopDeadline: Instant?
    private let buffer: UnsafeMutableRawBufferPointer

    init(_ state: ServerState, mailbox: LoopMailbox, counters: LoopCounters) throws(SystemError) {
        self.state = state
        context = LoopContext(handler: state.handler, mailbox: mailbox, counters: counters)
        evictions = Evictions(limits: state.limits)
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
            // Who is ready is asked every time: a few busy clients must not keep the others from being seen.
            let ready = poller.wait(messages.isEmpty && touched.isEmpty ? timeUntilNextDeadline : .zero)
            let now = ContinuousClock.now
            context.updateDate()
            messages.forEach { handle($0, at: now) }
            ready.forEach { handle($0, at: now) }
            expire(at: now)
            settleTouched(at: now)
        }
    }

    /// Answers are written together, when everybody has been heard: a client that is woken by each one would take the processor each time.
    private func settleTouched(at now: Instant) {
        let identifiers = touched
        touched.removeAll(keepingCapacity: true)
        for identifier in identifiers {
            guard let connection = connections[identifier] else { continue }
            connection.isTouched = false
            settle(connection, at: now)
        }
    }

    private func touch(_ connection: ServerConnection) {
        guard !connection.isTouched else { return }
        connection.isTouched = true
        touched.append(connection.identifier)
    }

    private var timeUntilNextDeadline: Duration? {
        let next = [deadlines.earliest, stopDeadline].compactMap(\.self).min()
        return next.map { ContinuousClock.now.duration(to: $0) }
    }

    private func handle(_ message: LoopMailbox.Message, at now: Instant) {
        switch message {
        case .answer(let identifier, let exchange, let response):
            guard let connection = connections[identifier] else { return }
            connection.conversation.answer(response, exchange: exchange, context, at: now)
            touch(connection)
        case .part(let identifier, let exchange, let bytes, let isLast):
            guard let connection = connections[identifier] else { return }
            connection.conversation.continueAnswer(bytes, isLast: isLast, exchange: exchange, at: now)
            touch(connection)
        case .drain:
            context.isDraining = true
            for connection in connections.values {
                connection.conversation.drain(at: now)
                touch(connection)
            }
        case .stop(let deadline):
            stopDeadline = deadline
            context.isDraining = true
            acceptWaiting(at: now)
            acceptor.pause(poller)
            SystemCalls.stopListening(state.listener.socket.descriptor)
            for connection in connections.values {
                // A request that has reached the socket is not lost only because nobody has looked yet.
                connection.read(into: buffer, context.counters, at: now)
                connection.conversation.finish(at: now)
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
                connection.conversation.abandon(.disconnected)
            } else if ready.isReadable {
                connection.read(into: buffer, context.counters, at: now)
                connection.act(context, at: now)
            }
            touch(connection)
        }
    }

    private func accept(at now: Instant) {
        var victim: ServerConnection?
        for _ in 0..<Self.acceptsPerTurn {
            let isFull = connections.count >= state.connectionsPerLoop
            if isFull, victim?.isClosed != false {
                victim = evictions.next(in: connections, at: now)
            }
            let isReserve = isFull && victim == nil
            if isReserve, connections.count >= state.connectionsPerLoop + state.reservePerLoop {
                return pauseAccepting(for: Self.fullPause, at: now)
            }
            switch acceptor.accept() {
            case .connection(let descriptor, let peer):
                context.counters.accepted.count()
                adopt(Socket(owning: descriptor), peer: peer, isReserve: isReserve, insteadOf: victim, at: now)
            case .none:
                return
            case .exhausted:
                guard acceptor.shed() else { return pauseAccepting(for: Self.exhaustionPause, at: now) }
                context.counters.refusedForDescriptors.count()
            }
        }
    }

    /// Takes everyone whom the kernel has already let in: closing the listener would reset them.
    private func acceptWaiting(at now: Instant) {
        while connections.count < state.connectionsPerLoop, case .connection(let descriptor, let peer) = acceptor.accept() {
            context.counters.accepted.count()
            adopt(Socket(owning: descriptor), peer: peer, isReserve: false, insteadOf: nil, at: now)
        }
    }

    /// - Parameter victim: closed if there is no other room.
    private func adopt(
        _ socket: consuming Socket, peer: SocketAddress, isReserve: Bool, insteadOf victim: ServerConnection?, at now: Instant
    ) {
        guard let address = place(for: peer.origin, at: now) else { return context.counters.refusedByAddress.count() }
        if connections.count >= state.connectionsPerLoop, let victim {
            evict(victim, at: now)
        }
        let terms = ConnectionTerms(
            identifier: nextIdentifier, peer: peer, limits: state.limits, budget: state.budget, isReserve: isReserve)
        let connection = ServerConnection(socket, address: address, terms, at: now)
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

    /// An address that has all its connections gives one of them up, if one can go: many clients may share it.
    private func place(for origin: String, at now: Instant) -> AddressCounts.Entry? {
        if let entry = state.addresses.enter(origin) { return entry }
        guard let victim = evictions.next(in: connections, from: origin, at: now) else { return nil }
        evict(victim, at: now)
        return state.addresses.enter(origin)
    }

    private func evict(_ connection: ServerConnection, at now: Instant) {
        context.counters.evicted.count()
        connection.conversation.abandon(.disconnected)
        settle(connection, at: now)
    }

    /// Brings a connection that may have changed to rest: acts, writes, and updates what is waited for.
    private func settle(_ connection: ServerConnection, at now: Instant) {
        let isFinished = connection.advance(context, at: now)
        guard !connection.isClosed else { return remove(connection) }
        if !isFinished { touch(connection) }
        let wanted = connection.wantedInterest
        if wanted != connection.interest {
            connection.interest = wanted
            poller.change(connection.socket.descriptor, wanted, identifier: connection.identifier)
        }
        schedule(connection)
    }

    private func remove(_ connection: ServerConnection) {
        connections[connection.identifier] = nil
        connection.address = nil
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
        guard let deadline = connection.conversation.deadline else { return }
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
                connection.conversation.expire(context.counters, at: now)
                touch(connection)
            }
        }
        if let stopDeadline, stopDeadline <= now {
            for connection in connections.values {
                connection.conversation.abandon(.serverStopped)
                settle(connection, at: now)
            }
        }
    }
}
