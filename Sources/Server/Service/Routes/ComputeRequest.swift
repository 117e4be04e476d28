import Files
import HTTPTransport
import Images
import Synchronization
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
    /// The work waiting in the pool, so that it can be taken back.
    private let piece = Mutex<WorkPool.Piece?>(nil)

    /// Takes a slot.
    init(_ operation: Operation, terms: RequestTerms, client: Client, stages: ComputeStages) throws(Overload) {
        self.operation = operation
        self.terms = terms
        self.client = client
        self.stages = stages
        ticket = try stages.queue.admit()
        client.responder.onCancel { [weak self] reason in self?.giveUp(reason) }
    }

    deinit {
        stages.queue.release(ticket)
    }

    /// Takes the complete body. Called on an event loop; returns at once.
    func begin(_ body: [UInt8]) {
        let piece = stages.pool.submit { self.prepare(body) }
        self.piece.withLock { $0 = piece }
    }

    private func prepare(_ body: [UInt8]) {
        guard !client.responder.isCancelled else { return }
        do throws(Problem) {
            let (model, input) = try read(body)
            let item = BatchQueue.Item(engine: model.engine, operation: operation, input: input) { result in
                self.stages.pool.submit { self.finish(result, of: model) }
            }
            // Refused only if the client has gone meanwhile.
            _ = stages.queue.enqueue(item, for: ticket)
        } catch {
            answer(error.response())
        }
    }

    private func read(_ body: [UInt8]) throws(Problem) -> (ServedModel, EngineInput) {
        guard !body.isEmpty, let type = terms.bodyType else { throw Problem(.emptyBody, "the request has no body") }
        return operation == .decode ? try readTokens(body, type) : try readImage(body, type)
    }

    private func readImage(_ body: [UInt8], _ type: MediaType) throws(Problem) -> (ServedModel, EngineInput) {
        let model = try Problem.refusing { () throws(ModelError) in try stages.registry.current(terms.model) }
        let file = try Problem.refusing { () throws(PayloadError) in try ImageBody(body, type: type) }
        return (model, .image(try stages.intake.square(of: file, imageSize: model.facts.imageSize) { !client.responder.isCancelled }))
    }

    private func readTokens(_ body: [UInt8], _ type: MediaType) throws(Problem) -> (ServedModel, EngineInput) {
        let claimed = try Problem.refusing { () throws(PayloadError) in
            try ClaimedTokens(body, type: type, fingerprint: terms.fingerprint)
        }
        let model = try Problem.refusing { () throws(ModelError) in
            try stages.registry.resident(fingerprint: claimed.fingerprint, model: terms.model)
        }
        return (model, .tokens(try Problem.refusing { () throws(PayloadError) in try claimed.checked(for: model.facts) }))
    }

    private func finish(_ result: Result<EngineOutput, EngineFailure>, of model: ServedModel) {
        guard !client.responder.isCancelled else { return }
        switch result {
        case .success(let output): answer(response(output, of: model))
        case .failure(let failure): answer(failure.problem.response())
        }
    }

    private func response(_ output: EngineOutput, of model: ServedModel) -> HTTPResponse {
        let body =
            switch output {
            case .image(let image): PNGEncoder.encode(image)
            case .tokens(let tokens) where terms.answerType == MediaType.npy: NumPyArray(tokens, shape: [tokens.count]).serialized()
            case .tokens(let tokens): TokensDocument(tokens, from: model).jsonBytes
            }
        let headers: HTTPHeaders = [
            "Content-Type": terms.answerType, "Revq-Model": model.name, "Revq-Version": "\(model.facts.version)",
            "Revq-Fingerprint": model.facts.fingerprint,
        ]
        return HTTPResponse(status: .ok, headers: headers, body: body)
    }

    /// The slot is free before the client can know, so a client that waits for its answer never finds its own slot taken.
    private func answer(_ response: HTTPResponse) {
        stages.queue.release(ticket)
        client.answer(response)
    }

    private func giveUp(_ reason: HTTPCancellation) {
        stages.queue.release(ticket)
        if let piece = piece.withLock({ $0 }) { stages.pool.cancel(piece) }
        client.log.givenUp(reason)
    }
}

/// Who waits for an answer.
struct Client: Sendable {
    let responder: HTTPResponder
    let log: AccessLog

    func answer(_ response: HTTPResponse) {
        if responder.respond(response) { log.answered(response) }
    }
}

/// What every request passes through.
struct ComputeStages: Sendable {
    let registry: ModelRegistry
    let queue: BatchQueue
    let pool: WorkPool
    let intake: ImageIntake
}
