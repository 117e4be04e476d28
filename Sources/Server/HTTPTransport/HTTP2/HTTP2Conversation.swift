/// HTTP/2 on one connection: its protocol machine and the requests in work.
final class HTTP2Conversation: Conversation {
    /// A client that opens many streams at once waits for others in between.
    private static let eventsPerTurn = 16

    private let machine: HTTP2Connection
    private let terms: ConnectionTerms
    /// By their streams.
    private var work: [Int32: RequestInWork] = [:]
    /// What streams' numbers are added to, so that an exchange that began in HTTP/1.1 keeps its number.
    private let firstExchange: UInt64

    /// - Parameter input: what the client has said so far, from its preface on.
    init(_ terms: ConnectionTerms, input: [UInt8], _ context: borrowing LoopContext, at now: Instant) {
        self.terms = terms
        firstExchange = 0
        machine = HTTP2Connection(peer: terms.peer, limits: terms.limits, budget: terms.budget, at: now)
        begin(input, context, at: now)
    }

    /// Goes on with a request that came by HTTP/1.1.
    /// - Parameters:
    ///   - reservation: of its body.
    ///   - number: of its exchange.
    init(
        _ terms: ConnectionTerms, continuing request: HTTP2Connection.UpgradedRequest, _ reservation: consuming BodyReservation,
        _ work: RequestInWork?, exchange number: UInt64, input: [UInt8], _ context: borrowing LoopContext, at now: Instant
    ) {
        self.terms = terms
        firstExchange = number - 1
        machine = HTTP2Connection(peer: terms.peer, limits: terms.limits, budget: terms.budget, at: now)
        self.work[1] = work
        machine.begin(with: request, reservation)
        begin(input, context, at: now)
    }

    private func begin(_ input: [UInt8], _ context: borrowing LoopContext, at now: Instant) {
        context.counters.http2Connections.count()
        if !input.isEmpty { machine.receive(input.span, at: now) }
        if context.isDraining { machine.finish(at: now) }
    }

    var isClosed: Bool { machine.phase == .closed }
    var isLingering: Bool { machine.phase == .lingering }
    var wantsInput: Bool { machine.wantsInput }
    var hasEvents: Bool { machine.hasEvents }
    var output: HTTPOutput { machine.output }
    var deadline: Instant? { machine.deadline }

    func pace(at now: Instant) -> Pace? { machine.pace(at: now) }

    func receive(_ bytes: Span<UInt8>, at now: Instant) { machine.receive(bytes, at: now) }

    /// Nobody shuts down one side only who wants to go on with HTTP/2: every answer needs room that the client makes.
    func receiveEnd() { machine.close() }

    func act(_ context: borrowing LoopContext, at now: Instant) -> (any Conversation)? {
        for _ in 0..<Self.eventsPerTurn {
            guard let event = machine.nextEvent(at: now) else { break }
            act(on: event, context, at: now)
        }
        machine.fill(at: now)
        if let misbehaviour = machine.takeMisbehaviour() { context.counters.count(misbehaviour) }
        return nil
    }

    func answer(_ response: HTTPResponse, exchange number: UInt64, _ context: borrowing LoopContext, at now: Instant) {
        guard let stream = stream(of: number), work[stream] != nil else { return }
        if !response.isOpen { work[stream] = nil }
        answer(stream, response, context, at: now)
    }

    func continueAnswer(_ part: [UInt8], isLast: Bool, exchange number: UInt64, at now: Instant) {
        guard let stream = stream(of: number), work[stream] != nil else { return }
        if isLast { work[stream] = nil }
        machine.continueAnswer(stream, part, isLast: isLast, at: now)
    }

    private func stream(of exchange: UInt64) -> Int32? {
        exchange > firstExchange ? Int32(exactly: exchange - firstExchange) : nil
    }

    func didWrite(_ count: Int, at now: Instant) { machine.didWrite(count, at: now) }

    func expire(_ counters: LoopCounters, at now: Instant) { machine.expire(at: now).forEach(counters.count) }

    func drain(at now: Instant) { machine.finish(at: now) }

    func finish(at now: Instant) { machine.finish(at: now) }

    func abandon(_ reason: HTTPCancellation) {
        work.values.forEach { $0.exchange.cancel(reason) }
        work = [:]
        machine.close()
    }

    private func act(on event: HTTP2Connection.Event, _ context: borrowing LoopContext, at now: Instant) {
        switch event {
        case .head(let stream, let head): admit(stream, head, context, at: now)
        case .request(let stream, let request):
            let handle = work[stream]?.handle
            work[stream]?.handle = nil
            handle?(request)
        case .failure(let stream, let error): refuse(stream, error, context, at: now)
        case .gone(let stream, let reason): work.removeValue(forKey: stream)?.exchange.cancel(reason)
        }
    }

    private func admit(_ stream: Int32, _ head: HTTPRequestHead, _ context: borrowing LoopContext, at now: Instant) {
        let (exchange, admission) = context.admit(head, to: terms.identifier, exchange: firstExchange + UInt64(stream))
        work[stream] = RequestInWork(exchange: exchange)
        switch admission {
        case nil: break
        case .answer(let response):
            // Straight to the machine, without the way through the mailbox.
            work[stream] = nil
            answer(stream, response, context, at: now)
        case .accept where terms.isReserve:
            context.counters.refusedBecauseFull.count()
            refuse(stream, .outOfConnections, context, at: now)
        case .accept(let maximumBodyBytes, let answerWithin, let timeout, let handle):
            work[stream]?.handle = handle
            machine.accept(stream, maximumBodyBytes: maximumBodyBytes, answerWithin: answerWithin, timeout: timeout, at: now)
        }
    }

    /// If the answer was given just before, it is on its way through the mailbox and is sent instead of the failure.
    private func refuse(_ stream: Int32, _ error: HTTPError, _ context: borrowing LoopContext, at now: Instant) {
        if let request = work[stream] {
            guard request.exchange.cancel(error.cancellation) else { return }
            work[stream] = nil
        }
        answer(stream, context.refusal(error), context, at: now)
    }

    private func answer(_ stream: Int32, _ response: HTTPResponse, _ context: borrowing LoopContext, at now: Instant) {
        machine.answer(stream, response, date: context.date, at: now)
        if context.isDraining || terms.isReserve { machine.finish(at: now) }
    }
}
