/// HTTP/1.0 and HTTP/1.1 on one connection: its protocol machine and the request in work.
final class HTTP1Conversation: Conversation {
    private var machine: HTTP1Connection
    private let terms: ConnectionTerms
    private var work: RequestInWork?
    private var exchangeNumber: UInt64 = 0

    init(_ terms: ConnectionTerms, at now: Instant) {
        self.terms = terms
        machine = HTTP1Connection(peer: terms.peer, limits: terms.limits, budget: terms.budget, at: now)
    }

    var isClosed: Bool { machine.phase == .closed }
    var isLingering: Bool { machine.phase == .lingering }
    var wantsInput: Bool { machine.wantsInput }
    var hasEvents: Bool { false }
    var output: HTTPOutput { machine.output }
    var deadline: Instant? { machine.deadline }

    func pace(at now: Instant) -> Pace? { machine.pace(at: now) }

    func receive(_ bytes: Span<UInt8>, at now: Instant) { machine.receive(bytes, at: now) }

    func receiveEnd() { machine.receiveEnd() }

    /// Acts on at most one request, because the next waits for its answer to be written.
    func act(_ context: borrowing LoopContext, at now: Instant) -> (any Conversation)? {
        while let event = machine.nextEvent(at: now) {
            switch event {
            case .http2:
                return HTTP2Conversation(terms, input: machine.takeInput(), context, at: now)
            case .head(let head):
                if head.contentLength == 0, let successor = upgrade(from: head, context, at: now) { return successor }
                admit(head, context, at: now)
            case .request(let request):
                let handle = work?.handle.take()
                let successor = upgrade(from: request.head, context, at: now)
                handle?(request)
                if let successor { return successor }
            case .failure(let error):
                refuse(error, context, at: now)
            }
        }
        return nil
    }

    func answer(_ response: HTTPResponse, exchange number: UInt64, _ context: borrowing LoopContext, at now: Instant) {
        guard work != nil, number == exchangeNumber else { return }
        if !response.isOpen { work = nil }
        answer(response, context, at: now)
    }

    func continueAnswer(_ part: [UInt8], isLast: Bool, exchange number: UInt64, at now: Instant) {
        guard work != nil, number == exchangeNumber, machine.phase == .streaming else { return }
        if isLast { work = nil }
        machine.continueAnswer(part, isLast: isLast, at: now)
    }

    func didWrite(_ count: Int, at now: Instant) { machine.didWrite(count, at: now) }

    func expire(_ counters: LoopCounters, at now: Instant) {
        if let timeout = machine.expire(at: now)?.timeout { counters.count(timeout) }
        guard isClosed, let work = work.take() else { return }
        work.exchange.cancel(.deadlinePassed)
    }

    /// The next answer says it.
    func drain(at now: Instant) {}

    func finish(at now: Instant) { machine.finish() }

    func abandon(_ reason: HTTPCancellation) {
        machine.close()
        work?.exchange.cancel(reason)
        work = nil
    }

    private func admit(_ head: HTTPRequestHead, _ context: borrowing LoopContext, at now: Instant) {
        exchangeNumber += 1
        let (exchange, admission) = context.admit(head, to: terms.identifier, exchange: exchangeNumber)
        work = RequestInWork(exchange: exchange)
        switch admission {
        case nil: break
        case .answer(let response):
            // Straight to the machine, without the way through the mailbox.
            work = nil
            answer(response, context, at: now)
        case .accept where terms.isReserve:
            context.counters.refusedBecauseFull.count()
            refuse(.outOfConnections, context, at: now)
        case .accept(let maximumBodyBytes, let answerWithin, let timeout, let handle):
            work?.handle = handle
            machine.accept(maximumBodyBytes: maximumBodyBytes, answerWithin: answerWithin, timeout: timeout, at: now)
        }
    }

    /// If the answer was given just before, it is on its way through the mailbox and is sent instead of the failure.
    private func refuse(_ error: HTTPError, _ context: borrowing LoopContext, at now: Instant) {
        if let work {
            guard work.exchange.cancel(error.cancellation) else { return }
            self.work = nil
        }
        answer(context.refusal(error), context, at: now)
    }

    private func answer(_ response: HTTPResponse, _ context: borrowing LoopContext, at now: Instant) {
        if context.isDraining || terms.isReserve { machine.finish() }
        machine.answer(response, date: context.date, at: now)
    }

    /// Changes to HTTP/2 where the client has offered that with a request, which becomes its first stream: at once where it has no body,
    /// otherwise with the last byte of it.
    private func upgrade(from head: HTTPRequestHead, _ context: borrowing LoopContext, at now: Instant) -> HTTP2Conversation? {
        guard let settings = machine.http2Settings else { return nil }
        let deadline = machine.deadline ?? now
        let reservation = machine.takeReservation() ?? BodyReservation(from: terms.budget)
        // An exchange that is in work keeps its number.
        let number = work == nil ? exchangeNumber + 1 : exchangeNumber
        let request = HTTP2Connection.UpgradedRequest(head: head, settings: settings, isInWork: work != nil, deadline: deadline)
        return HTTP2Conversation(
            terms, continuing: request, reservation, work, exchange: number, input: machine.takeInput(), context, at: now)
    }
}

extension HTTP1Connection.Phase {
    /// What has taken too long in it.
    fileprivate var timeout: LoopCounters.Timeout? {
        switch self {
        case .head: .head
        case .body, .discarding: .body
        case .admission, .handling, .refusing, .streaming: .answer
        case .writing: .write
        case .idle: .idle
        case .lingering, .closed: nil
        }
    }
}
