import HTTPTransport
import Images
import Logging
import Synchronization
import Threads

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
        var images = ImageLimits(maxDecodedBytes: 64 << 20)
    }

    let registry: ModelRegistry
    private let limits: Limits
    private let stages: ComputeStages
    private let logger: Logger
    private let isDraining = Atomic(false)

    /// - Throws: where the system has no room for its threads.
    init(registry: ModelRegistry, limits: Limits, logger: Logger) throws(SystemError) {
        self.registry = registry
        self.limits = limits
        self.logger = logger
        let pool = try WorkPool(threads: limits.poolThreads)
        do throws(SystemError) {
            stages = ComputeStages(
                registry: registry, queue: try BatchQueue(limits: limits.batching), pool: pool,
                intake: ImageIntake(limits: limits.images, memory: MemoryBudget(limitBytes: limits.memoryBytes)))
        } catch {
            pool.close()
            throw error
        }
    }

    /// Requests admitted and not yet answered.
    var backlog: Int { stages.queue.backlog }

    /// Is not ready from now on, so that whoever spreads the load takes this server out; requests are served as before.
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
        if head.path == "*" { return answer(HTTPResponse(status: .noContent, headers: ["Allow": Route.methods]), log) }
        do throws(Problem) {
            let route = try Route.find(head)
            let terms = try RequestTerms(head, on: route)
            switch route.endpoint {
            case .compute(let operation): return try admit(operation, terms, responder, log)
            case .models: return answer(.json(ModelsDocument(registry)), log)
            case .live: return answer(.json(["status": "alive"]), log)
            case .ready: return answer(try readiness(), log)
            }
        } catch {
            return answer(error.response(), log)
        }
    }

    private func answer(_ response: HTTPResponse, _ log: AccessLog) -> HTTPAdmission {
        log.answered(response)
        return .answer(response)
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
        guard registry.isReady else { throw ModelError.notReady.problem }
        if operation != .decode { _ = try Problem.refusing { () throws(ModelError) in try registry.current(terms.model) } }
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
            throw Problem(.shuttingDown, "the server is about to stop", retryAfter: .seconds(1))
        }
        guard registry.isReady else { throw ModelError.notReady.problem }
        return .json(["status": "ready"])
    }
}

extension HTTPResponse {
    fileprivate static func json(_ document: some Encodable) -> HTTPResponse {
        HTTPResponse(status: .ok, headers: ["Content-Type": MediaType.json], body: document.jsonBytes)
    }
}
