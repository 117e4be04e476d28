/// One accepted connection: its socket, its protocol machine, and the request in work. Only its loop's thread touches it.
final class ServerConnection {
    typealias Instant = ContinuousClock.Instant

    private static let requestsPerTurn = 4

    let socket: Socket
    let identifier: UInt64
    /// Serves only what is answered at once: every other connection is in use.
    let isReserve: Bool
    /// Its place among those of its address, given up when it closes.
    var address: AddressCounts.Entry?
    var machine: HTTP1Connection
    /// What the loop's poller watches the socket for.
    var interest: Poller.Interest = .reading
    /// Whether its loop has it down to be brought to rest.
    var isTouched = false
    /// The earliest of its entries in the loop's deadline queue.
    var queuedDeadline: Instant?
    private var exchange: HTTPExchange?
    private var exchangeNumber: UInt64 = 0
    private var handle: (@Sendable (HTTPRequest) -> Void)?
    private var hasShutDownWriting = false

    init(
        _ socket: consuming Socket, identifier: UInt64, address: AddressCounts.Entry, isReserve: Bool,
        machine: consuming HTTP1Connection
    ) {
        self.socket = socket
        self.identifier = identifier
        self.address = address
        self.isReserve = isReserve
        self.machine = machine
    }

    var isClosed: Bool { machine.phase == .closed }

    /// What the socket should be watched for now.
    var wantedInterest: Poller.Interest {
        var wanted: Poller.Interest = machine.wantsInput ? .reading : []
        if !machine.output.isEmpty { wanted.insert(.writing) }
        return wanted
    }

    /// Reads once; a level-triggered poller says when there is more.
    func read(into buffer: UnsafeMutableRawBufferPointer, _ counters: LoopCounters, at now: Instant) {
        guard machine.wantsInput else { return }
        switch SystemCalls.receive(socket.descriptor, into: buffer) {
        case .done(0): machine.receiveEnd()
        case .done(let count):
            counters.bytesRead.count(count)
            machine.receive(Span(_unsafeBytes: buffer[..<count]), at: now)
        case .wouldBlock: break
        case .broken: abandon(.disconnected)
        }
    }

    /// Acts on what the machine has found out: at most one request, because the next waits for its answer to be written.
    func act(_ context: borrowing LoopContext, at now: Instant) {
        while let event = machine.nextEvent(at: now) {
            act(on: event, context, at: now)
        }
    }

    /// Acts, and writes what can be written.
    /// - Returns: false if it should go on after others have had their turn: a client that sends many requests at once must not keep
    ///   them waiting.
    func advance(_ context: borrowing LoopContext, at now: Instant) -> Bool {
        var requests = 0
        repeat {
            act(context, at: now)
            requests += 1
        } while write(context.counters, at: now) && requests < Self.requestsPerTurn
        if machine.phase == .lingering, !hasShutDownWriting {
            hasShutDownWriting = true
            SystemCalls.shutDownWriting(socket.descriptor)
        }
        return requests < Self.requestsPerTurn
    }

    /// Takes an answer that came through the mailbox, unless its request is already over.
    /// - Parameter isLast: whether the connection ends with it.
    func answer(_ response: HTTPResponse, exchange number: UInt64, isLast: Bool, date: String, at now: Instant) {
        guard exchange != nil, number == exchangeNumber else { return }
        forgetExchange()
        if isLast { machine.finish() }
        machine.answer(response, date: date, at: now)
    }

    /// Closes at once and tells whoever still works for this client.
    func abandon(_ reason: HTTPCancellation) {
        machine.close()
        exchange?.cancel(reason)
        forgetExchange()
    }

    private func act(on event: HTTP1Connection.Event, _ context: borrowing LoopContext, at now: Instant) {
        switch event {
        case .head(let head): admit(head, context, at: now)
        case .request(let request):
            let handle = self.handle.take()
            handle?(request)
        case .failure(let error): refuse(error, context, at: now)
        }
    }

    private func admit(_ head: HTTPRequestHead, _ context: borrowing LoopContext, at now: Instant) {
        context.counters.requests.count()
        exchangeNumber += 1
        let (mailbox, identifier, number) = (context.mailbox, identifier, exchangeNumber)
        let exchange = HTTPExchange { response in
            mailbox.post(.answer(connection: identifier, exchange: number, response))
        }
        self.exchange = exchange
        let responder = HTTPResponder(exchange)
        switch context.handler.admit(head, responder) {
        case .answer(let response):
            // Straight to the machine, without the way through the mailbox; an answer given before is already on it.
            guard exchange.settle() else { return }
            forgetExchange()
            if context.isDraining || isReserve { machine.finish() }
            machine.answer(response, date: context.date, at: now)
        case .accept where isReserve:
            context.counters.refusedBecauseFull.count()
            machine.finish()
            refuse(.outOfConnections, context, at: now)
        case .accept(let maximumBodyBytes, let answerWithin, let timeout, let handle):
            self.handle = handle
            machine.accept(maximumBodyBytes: maximumBodyBytes, answerWithin: answerWithin, timeout: timeout, at: now)
        }
    }

    /// If the answer was given just before, it is on its way through the mailbox and is sent instead of the failure.
    private func refuse(_ error: HTTPError, _ context: borrowing LoopContext, at now: Instant) {
        if let exchange {
            let reason: HTTPCancellation = error.status == .gatewayTimeout ? .deadlinePassed : .bodyRefused
            guard exchange.cancel(reason) else { return }
            forgetExchange()
        }
        var response = context.handler.response(to: error)
        if let seconds = error.retryAfterSeconds, !response.headers.contains("Retry-After") {
            response.headers.add(name: "Retry-After", value: String(seconds))
        }
        machine.answer(response, date: context.date, at: now)
    }

    private func forgetExchange() {
        exchange = nil
        handle = nil
    }

    /// - Returns: whether the machine may have something new to say.
    private func write(_ counters: LoopCounters, at now: Instant) -> Bool {
        var hasWritten = false
        while !machine.output.isEmpty {
            switch machine.output.send(to: socket) {
            case .done(let count):
                counters.bytesWritten.count(count)
                machine.didWrite(count, at: now)
                hasWritten = true
            case .wouldBlock:
                return hasWritten
            case .broken:
                abandon(.disconnected)
                return false
            }
        }
        return hasWritten
    }
}

extension HTTPError {
    fileprivate static let outOfConnections = HTTPError(
        .serviceUnavailable, "the server has as many connections as it can serve; try again", retryAfterSeconds: 1)
}

extension HTTP1Output {
    /// Writes as much of the first two pieces as the socket takes.
    func send(to socket: borrowing Socket) -> SystemCalls.Progress {
        let second = pieces.count > 1 ? pieces[1] : []
        return pieces[0].withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                SystemCalls.send(socket.descriptor, UnsafeRawBufferPointer(rebasing: first[offset...]), second)
            }
        }
    }
}
