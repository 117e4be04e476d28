import Files
import HTTPTransport
import Images
import Locks
import Threads

/// One complete request on its way to the engine and back: its client, the items that it asks for, and a slot in the queue for each.
///
///     event loop: begin → pool thread: read → an item for each picture: `ComputeItem` → pool thread: write, answer
///
/// Whatever ends it (an answer, a client that has gone, a deadline) frees its slots at once and takes its work out of the queues.
final class ComputeRequest: Sendable {
    private struct State {
        var tickets: [Ticket]
        var items: [ComputeItem] = []
        /// Waits in a pool, so that it can be taken back.
        var reading: (pool: WorkPool, piece: WorkPool.Piece)?
        var isOver = false
    }

    private let operation: Operation
    private let terms: RequestTerms
    /// The model of the Open Inference Protocol that is asked; nil where it is not spoken.
    private let inference: InferenceModel?
    private let client: Client
    private let stages: ComputeStages
    private let state: Lock<State>

    /// Takes a slot.
    /// - Parameter limit: how long the client will wait.
    init(
        _ operation: Operation, terms: RequestTerms, inference: InferenceModel? = nil, within limit: Duration, client: Client,
        stages: ComputeStages
    ) throws(Overload) {
        self.inference = inference
        self.operation = operation
        self.terms = terms
        self.client = client
        self.stages = stages
        state = Lock(State(tickets: [try stages.queue.admit(operation, within: limit)]))
        client.responder.onCancel { [weak self] _ in self?.end(wasAnswered: false) }
    }

    deinit {
        end(wasAnswered: false)
    }

    /// Takes the complete body. Called on an event loop; returns at once.
    func begin(_ body: [UInt8]) {
        client.record.enter(.thread)
        let (pool, work): (WorkPool, Watchdog.Work) = operation == .decode ? (stages.answers, .answer) : (stages.pictures, .picture)
        let piece = pool.submit { [watchdog = stages.watchdog] in watchdog.watching(work) { self.prepare(body) } }
        state.withLock { $0.reading = (pool, piece) }
    }

    private func prepare(_ body: [UInt8]) {
        guard !client.responder.isCancelled else { return }
        client.record.enter(.prepare)
        do throws(Problem) {
            guard !body.isEmpty else { throw Problem(.emptyBody, "the request has no body") }
            let reading =
                if let inference { try RequestReading(inference, body, terms, stages) } else { try RequestReading(operation, body, terms, stages) }
            let answer = try RequestAnswer(reading, terms, client)
            if answer.isKnown { return self.answer { answer.sendNotModified() } }
            try start(reading, answer)
        } catch {
            answer { client.refuse(error) }
        }
    }

    /// A list takes the slots that it needs besides its first all at once, and larger pictures take places by their pixels.
    private func start(_ reading: RequestReading, _ answer: RequestAnswer) throws(Problem) {
        let places = reading.model.places
        try client.charge(places * reading.sources.count - 1, for: operation)
        let first = state.withLock { $0.tickets[0] }
        let others = try Problem.refusing { () throws(Overload) in
            try stages.queue.admit(reading.sources.count - 1, beside: first, places: places)
        }
        let tickets = [first] + others
        let items = zip(reading.sources, tickets).enumerated().map { index, member in
            member.0.map { source in item(index, source, member.1, of: reading, for: answer) }
        }
        let isOver = state.withLock { state in
            if !state.isOver { (state.tickets, state.items) = (tickets, items.compactMap { try? $0.get() }) }
            return state.isOver
        }
        guard !isOver else { return others.forEach { stages.queue.release($0, wasAnswered: false) } }
        answer.begin()
        for (index, item) in items.enumerated() {
            switch item {
            // Whoever is alone has this thread.
            case .success(let item) where items.count == 1: item.run()
            case .success(let item): item.begin()
            case .failure(let problem): finish(index, tickets[index], .failure(problem), answer)
            }
        }
    }

    private func item(
        _ index: Int, _ source: ComputeItem.Source, _ ticket: Ticket, of reading: RequestReading, for answer: RequestAnswer
    ) -> ComputeItem {
        let owner = ComputeItem.Owner(
            isWaiting: { [responder = client.responder] in !responder.isCancelled },
            // Of a list the last one counts.
            progress: { stage in if stage != .finish || answer.isLast { self.client.record.enter(stage) } },
            done: { self.finish(index, ticket, $0, answer) })
        return ComputeItem(
            operation, source, of: reading.model, ticket, sharedAs: terms.mayShare ? answer.keys[index] : nil, stages: stages, owner: owner)
    }

    private func finish(_ index: Int, _ ticket: Ticket, _ result: Result<Outcome, Problem>, _ answer: RequestAnswer) {
        guard !client.responder.isCancelled else { return }
        // The slot is free before the client can know, so that a client that waits for its answer never finds its own slot taken.
        stages.queue.release(ticket, wasAnswered: true)
        if answer.add(result, at: index) { self.answer { answer.send() } }
    }

    private func answer(_ send: () -> Void) {
        end(wasAnswered: true)
        send()
    }

    /// Frees what it holds. Once more is harmless.
    private func end(wasAnswered: Bool) {
        let (tickets, items, reading) = state.withLock { state in
            defer { (state.isOver, state.items, state.reading) = (true, [], nil) }
            return (state.tickets, state.items, state.reading)
        }
        for ticket in tickets { stages.queue.release(ticket, wasAnswered: wasAnswered) }
        guard !wasAnswered else { return }
        if let reading { reading.pool.cancel(reading.piece) }
        items.forEach { $0.giveUp() }
    }
}
