import HTTPTransport
import Images
import Locks
import Threads

/// One complete request on its way to the engine and back: its slot in the queue, its client.
///
///     event loop: begin → pool thread: read, decode → compute thread: batch → pool thread: write, answer
///
/// Whatever ends it (an answer, a client that has gone, a deadline) frees its slot at once and takes its work out of the queues.
final class ComputeRequest: Sendable {
    private let operation: Operation
    private let terms: RequestTerms
    private let client: Client
    private let stages: ComputeStages
    private let ticket: Ticket
    /// The work waiting in a pool, so that it can be taken back.
    private let piece = Lock<(pool: WorkPool, piece: WorkPool.Piece)?>(nil)

    /// Takes a slot.
    /// - Parameter limit: how long the client will wait.
    init(
        _ operation: Operation, terms: RequestTerms, within limit: Duration, client: Client, stages: ComputeStages
    ) throws(Overload) {
        self.operation = operation
        self.terms = terms
        self.client = client
        self.stages = stages
        ticket = try stages.queue.admit(operation, within: limit)
        client.responder.onCancel { [weak self] _ in self?.giveUp() }
    }

    deinit {
        stages.queue.release(ticket, wasAnswered: false)
    }

    /// Takes the complete body. Called on an event loop; returns at once.
    func begin(_ body: [UInt8]) {
        client.record.enter(.thread)
        let pool = operation == .decode ? stages.answers : stages.pictures
        submit(to: pool, operation == .decode ? .answer : .picture) { self.prepare(body) }
    }

    private func submit(to pool: WorkPool, _ work: Watchdog.Work, _ body: @escaping @Sendable () -> Void) {
        let piece = pool.submit { [watchdog = stages.watchdog] in watchdog.watching(work, body) }
        self.piece.withLock { $0 = (pool, piece) }
    }

    private func prepare(_ body: [UInt8]) {
        guard !client.responder.isCancelled else { return }
        client.record.enter(.prepare)
        do throws(Problem) {
            let (model, input) = try read(body)
            client.record.enter(.queue)
            let item = BatchQueue.Item(
                engine: model.engine, operation: operation, input: input, begin: { self.client.record.enter(.compute) },
                completion: { result in
                    self.client.record.enter(.finish)
                    self.submit(to: self.stages.answers, .answer) { self.finish(result, for: input, of: model) }
                })
            // Refused only if the client has gone meanwhile.
            _ = stages.queue.enqueue(item, for: ticket)
        } catch {
            refuse(error)
        }
    }

    private func read(_ body: [UInt8]) throws(Problem) -> (ServedModel, EngineInput) {
        guard !body.isEmpty else { throw Problem(.emptyBody, "the request has no body") }
        return operation == .decode ? try readTokens(body) : try readImage(body)
    }

    private func readImage(_ body: [UInt8]) throws(Problem) -> (ServedModel, EngineInput) {
        let file = try Problem.refusing { () throws(PayloadError) in try ImageBody(body, type: terms.bodyType) }
        guard file.model == nil || terms.model == nil || file.model == terms.model else {
            throw Problem(.invalidField, "the body's model and the query's differ")
        }
        let model = try Problem.refusing { () throws(ModelError) in try stages.registry.current(file.model ?? terms.model) }
        return (model, .image(try stages.intake.square(of: file, imageSize: model.facts.imageSize) { !client.responder.isCancelled }))
    }

    private func readTokens(_ body: [UInt8]) throws(Problem) -> (ServedModel, EngineInput) {
        let claimed = try Problem.refusing { () throws(PayloadError) in
            try ClaimedTokens(body, type: terms.bodyType, fingerprint: terms.fingerprint)
        }
        let model = try Problem.refusing { () throws(ModelError) in
            try stages.registry.resident(fingerprint: claimed.fingerprint, model: terms.model)
        }
        return (model, .tokens(try Problem.refusing { () throws(PayloadError) in try claimed.checked(for: model.facts) }))
    }

    private func finish(_ result: Result<EngineOutput, EngineFailure>, for input: EngineInput, of model: ServedModel) {
        guard !client.responder.isCancelled else { return }
        switch result {
        case .success(let output):
            if case .tokens(let tokens) = output { model.health?.add(tokens) }
            answer { client.answer(response(output, for: input, of: model)) }
        case .failure(let failure): refuse(failure.problem)
        }
    }

    private func response(_ output: EngineOutput, for input: EngineInput, of model: ServedModel) -> HTTPResponse {
        var headers: HTTPHeaders = [
            "Content-Type": terms.answerType, "Revq-Model": model.name, "Revq-Version": "\(model.facts.version)",
            "Revq-Fingerprint": model.facts.fingerprint,
        ]
        switch (input, output) {
        case (.image(let original), .image(let image)):
            headers["Revq-PSNR"] = "\(PeakSignalToNoise.decibels(image, original).rounded(to: 1e-3))"
            if let similarity = StructuralSimilarity.mean(image, original) { headers["Revq-SSIM"] = "\(similarity.rounded(to: 1e-4))" }
        default: break
        }
        return HTTPResponse(status: .ok, headers: headers, body: output.body(as: terms.answerType, quality: terms.quality, of: model))
    }

    private func refuse(_ problem: Problem) {
        answer { client.refuse(problem) }
    }

    /// The slot is free before the client can know, so a client that waits for its answer never finds its own slot taken.
    private func answer(_ send: () -> Void) {
        stages.queue.release(ticket, wasAnswered: true)
        send()
    }

    private func giveUp() {
        stages.queue.release(ticket, wasAnswered: false)
        if let (pool, piece) = piece.withLock({ $0 }) { pool.cancel(piece) }
    }
}

extension Double {
    /// Infinity stays what it is.
    fileprivate func rounded(to step: Double) -> Double { (self / step).rounded() / (1 / step) }
}

/// Who waits for an answer, and what is known of the request.
struct Client: Sendable {
    let responder: HTTPResponder
    let record: RequestRecord

    init(_ responder: HTTPResponder, _ record: RequestRecord) {
        (self.responder, self.record) = (responder, record)
        responder.onCancel { record.givenUp($0) }
    }

    /// Nothing is said twice: an answer that comes after the client has gone is no answer.
    func answer(_ response: HTTPResponse) {
        guard !responder.isCancelled else { return }
        responder.respond(record.answered(response))
    }

    func refuse(_ problem: Problem) {
        record.refused(problem)
        answer(problem.response())
    }
}

/// What every request passes through.
struct ComputeStages: Sendable {
    let registry: ModelRegistry
    let queue: BatchQueue
    /// Decodes pictures, which may take long; and nothing else, so that tokens never wait for it.
    let pictures: WorkPool
    /// Reads tokens and writes answers.
    let answers: WorkPool
    let intake: ImageIntake
    let watchdog: Watchdog
}
