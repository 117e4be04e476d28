import HTTPTransport
import Images
import Logging
import Synchronization

/// The tokenizer behind its HTTP interface: decides about every request, and owns the queue and the threads that serve it.
final class TokenizerService: HTTPHandler {
    struct Limits: Sendable {
        var batching: BatchScheduler<BatchQueue.Item>.Limits
        /// Threads that read bodies, decode and encode images; at least 1.
        var poolThreads: Int
        /// The largest body of an image request, and of a token request.
        var imageBodyBytes = 32 << 20
        var tokenBodyBytes = 1 << 20
        /// What all images that are being decoded may take together. Bodies are bounded by the transport.
        var memoryBytes = 1 << 30
        /// From the complete request to its answer.
        var answerWithin = Duration.seconds(60)
        var images = ImageLimits(maxDecodedBytes: 512 << 20)
    }

    let registry: ModelRegistry
    private let limits: Limits
    private let stages: ComputeStages
    private let logger: Logger
    private let isDraining = Atomic(false)

    init(registry: ModelRegistry, limits: Limits, logger: Logger) {
        self.registry = registry
        self.limits = limits
        self.logger = logger
        stages = ComputeStages(
            registry: registry, queue: BatchQueue(limits: limits.batching), pool: WorkPool(threads: limits.poolThreads),
            intake: ImageIntake(limits: limits.images, memory: MemoryBudget(limitBytes: limits.memoryBytes)))
    }

    /// Requests admitted and not yet answered.
    var backlog: Int { stages.queue.backlog }

    /// Refuses new work from now on; what has been admitted is still answered.
    func drain() {
        isDraining.store(true, ordering: .relaxed)
    }

    /// Answers what has been admitted, then ends the threads. No request may come afterwards.
    func close() {
        stages.queue.close()
        stages.pool.close()
    }

    func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
        let log = AccessLog(head, logger: logger)
        do throws(Problem) {
            let route = try Route.find(head)
            let terms = try RequestTerms(head, on: route)
            switch route.endpoint {
            case .compute(let operation): return try admit(operation, terms, responder, log)
            case .models: return .reject(.json(ModelsDocument(registry)))
            case .live: return .reject(.json(["status": "alive"]))
            case .ready: return .reject(try readiness())
            }
        } catch {
            let response = error.response()
            log.answered(response)
            return .reject(response)
        }
    }

    func response(to error: HTTPError) -> HTTPResponse {
        logger.info("refused", metadata: ["status": "\(error.status.code)", "reason": "\(error.reason)"])
        return error.problem.response(status: error.status)
    }

    /// Refuses by the head what can be refused by it. A slot is taken only when the body is complete: clients that send slowly would
    /// otherwise hold all of them.
    private func admit(
        _ operation: Operation, _ terms: RequestTerms, _ responder: HTTPResponder, _ log: AccessLog
    ) throws(Problem) -> HTTPAdmission {
        _ = try readiness()
        if operation != .decode { _ = try registry.current(terms.model) }
        if let overload = stages.queue.overload { throw overload.problem }
        let maximumBodyBytes = operation == .decode ? limits.tokenBodyBytes : limits.imageBodyBytes
        let client = Client(responder: responder, log: log)
        return .accept(maximumBodyBytes: maximumBodyBytes, answerWithin: limits.answerWithin) { [stages] request in
            do throws(Overload) {
                try ComputeRequest(operation, terms: terms, client: client, stages: stages).begin(request.body)
            } catch {
                client.answer(error.problem.response())
            }
        }
    }

    private func readiness() throws(Problem) -> HTTPResponse {
        guard !isDraining.load(ordering: .relaxed) else {
            throw Problem(.shuttingDown, "the server is shutting down", retryAfter: .seconds(1))
        }
        guard registry.isReady else { throw ModelRegistry.notReady }
        return .json(["status": "ready"])
    }
}

extension HTTPResponse {
    fileprivate static func json(_ document: some Encodable) -> HTTPResponse {
        HTTPResponse(status: .ok, headers: ["Content-Type": MediaType.json], body: document.jsonBytes)
    }
}
