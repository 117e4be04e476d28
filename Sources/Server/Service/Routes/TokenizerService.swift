import HTTPTransport
import Images
import Locks
import Logging
import Synchronization
import Threads

/// The tokenizer behind its HTTP interface: decides about every request, and owns the queue and the threads that serve it.
final class TokenizerService: Sendable {
    struct Limits: Sendable {
        var batching: BatchScheduler<BatchQueue.Item>.Limits
        /// Threads that decode images, and as many that read tokens and write answers; at least 1.
        var poolThreads: Int
        /// The largest body of an image request, and of a token request.
        var imageBodyBytes = 32 << 20
        var tokenBodyBytes = 1 << 20
        /// Most members of a list; the queue's places bound it too.
        var listItems = 64
        /// The most pixels of a picture of another size than the model's own; 0 where there are none.
        var sizePixels = 1 << 20
        /// Of results that are remembered; 0 for none.
        var cacheBytes = 0
        /// What all images that are being decoded may take together. Bodies are bounded by the transport.
        var memoryBytes = 1 << 30
        /// From the complete request to its answer, where the client does not say less.
        var answerWithin = Duration.seconds(60)
        var images = ImageLimits(maxDecodedBytes: 64 << 20)
        /// A batch, a picture or an answer that takes longer is stuck.
        var stuckAfter = Duration.seconds(30)
        var proxies = TrustedProxies.none
        /// Pages of which other origins may read answers.
        var crossOrigin: CrossOrigin?

        var sizes: SizeLimits { SizeLimits(mostPixels: sizePixels, places: batching.maxQueue) }
    }

    let registry: ModelRegistry
    private let metrics: ServiceMetrics
    private let droppedLogLines: @Sendable () -> Int
    private let limits: Limits
    /// nil where everybody may compute.
    private let keys: KeyRing?
    /// Takes orders about models; nil where nobody does.
    private let models: CheckpointWatcher?
    private let stages: ComputeStages
    private let logger: Logger
    private let isDraining = Atomic(false)
    /// What its listeners add to the metrics.
    private let listeners = Lock<[@Sendable (inout PrometheusText) -> Void]>([])

    /// - Throws: where the system has no room for its threads.
    init(
        registry: ModelRegistry, limits: Limits, logger: Logger, metrics: ServiceMetrics = ServiceMetrics(), keys: KeyRing? = nil,
        models: CheckpointWatcher? = nil, trials: CanaryTrials = CanaryTrials(.init()), droppedLogLines: @escaping @Sendable () -> Int = { 0 }
    ) throws(SystemError) {
        (self.metrics, self.droppedLogLines) = (metrics, droppedLogLines)
        self.registry = registry
        self.limits = limits
        self.logger = logger
        (self.keys, self.models) = (keys, models)
        let watchdog = Watchdog(limit: limits.stuckAfter)
        let pools = try [WorkPool(threads: limits.poolThreads), WorkPool(threads: limits.poolThreads)]
        do throws(SystemError) {
            stages = ComputeStages(
                registry: registry, queue: try BatchQueue(limits: limits.batching, watchdog: watchdog, metrics: metrics), pictures: pools[0],
                answers: pools[1], intake: ImageIntake(limits: limits.images, memory: MemoryBudget(limitBytes: limits.memoryBytes)),
                results: SharedResults(limitBytes: limits.cacheBytes), watchdog: watchdog, trials: trials,
                listLimit: min(limits.listItems, limits.batching.maxQueue), sizes: limits.sizes)
        } catch {
            pools.forEach { $0.close() }
            throw error
        }
    }

    /// Requests admitted and not yet answered.
    var backlog: Int { stages.queue.backlog }

    /// Is not ready from now on, so that whoever spreads the load takes this server out; requests are served as before.
    func drain() {
        isDraining.store(true, ordering: .relaxed)
    }

    /// Has a listener that it is offered by tell in the metrics how it is.
    func tell(of listener: HTTPServer) {
        listeners.withLock { $0.append { [weak listener] text in listener?.write(to: &text) } }
    }

    /// Answers what has been admitted, then ends the threads. No request may come afterwards.
    func close() {
        stages.pictures.close()
        stages.queue.close()
        stages.answers.close()
    }

    /// Decides about a request whose head is complete.
    /// - Parameter routes: what the listener that it came by offers.
    func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder, among routes: [Route]) -> HTTPAdmission {
        let found = Result { () throws(Problem) in try Route.find(head, among: routes) }
        let record = RequestRecord(
            head, route: try? found.get(), identity: RequestIdentity(head, proxies: limits.proxies),
            headers: limits.crossOrigin?.headers(for: head) ?? [:], logger: logger, metrics: metrics)
        if let answer = limits.crossOrigin?.answer(toPreflight: head, methods: Route.methods(at: head.path, among: routes)) {
            return .answer(record.answered(answer))
        }
        if head.path == "*" { return .answer(record.answered(HTTPResponse(status: .noContent, headers: ["Allow": Route.methods]))) }
        do throws(Problem) {
            let route = try found.get()
            let terms = try RequestTerms(head, on: route)
            switch route.endpoint {
            case .compute(let operation): return try admit(operation, terms, try client(head, responder, record))
            case .infer:
                let client = try client(head, responder, record)
                let model = try inferenceModel(terms)
                return try admit(model.operation, terms, client, inference: model)
            case .inferenceServer: return .answer(record.answered(.json(Self.inferenceServer)))
            case .inferenceModel:
                let model = try inferenceModel(terms)
                return .answer(record.answered(.json(model.metadata(versions: registry.versions(of: model.served.name)))))
            case .inferenceLive: return .answer(record.answered(.json(["live": .boolean(true)])))
            case .inferenceReady:
                _ = try readiness()
                return .answer(record.answered(.json(["ready": .boolean(true)])))
            case .inferenceModelReady:
                let model = try inferenceModel(terms)
                return .answer(record.answered(.json(["name": .string(model.name), "ready": .boolean(true)])))
            case .models: return .answer(record.answered(.json(ModelsDocument(registry, limits.sizes).json)))
            case .info: return .answer(record.answered(.json(InfoDocument(registry, limits).json)))
            case .live: return .answer(record.answered(Self.alive))
            case .ready: return .answer(record.answered(try readiness()))
            case .metrics: return .answer(record.answered(metricsPage()))
            case .page(let file): return .answer(record.answered(file.response(to: head)))
            case .standing, .order: return .answer(record.answered(.json(try administer(route.endpoint, terms, head, record))))
            }
        } catch {
            record.refused(error)
            return .answer(record.answered(error.response(for: record.identity.id, isInference: record.isInference)))
        }
    }

    /// What the transport refuses by itself.
    func response(to error: HTTPError) -> HTTPResponse {
        let problem = error.problem
        let id = RequestIdentity.newID()
        logger.info("refused", metadata: ["status": "\(error.status.code)", "reason": "\(error.reason)", "id": "\(id)"])
        metrics.refused(problem.code)
        var response = problem.response(for: id, status: error.status)
        response.headers["X-Request-ID"] = id
        return response
    }

    /// Refuses by the head what can be refused by it. A slot is taken only when the body is complete: clients that send slowly would
    /// otherwise hold all of them.
    private func admit(
        _ operation: Operation, _ terms: RequestTerms, _ client: Client, inference: InferenceModel? = nil
    ) throws(Problem) -> HTTPAdmission {
        guard registry.isReady else { throw ModelError.notReady.problem }
        if inference == nil, operation != .decode, terms.model != nil || !terms.bodyMayNameModel {
            let model = try Problem.refusing { () throws(ModelError) in try registry.find(terms.model, version: terms.version) }
            if let size = terms.size { try Problem.refusing { () throws(SizeRefusal) in try limits.sizes.check(size, of: model.facts) } }
        }
        try client.charge(1, for: operation)
        let limit = min(terms.timeout ?? limits.answerWithin, limits.answerWithin)
        try Problem.refusing { () throws(Overload) in try stages.queue.refuseIfOverloaded(operation, within: limit) }
        let maximumBodyBytes = operation == .decode ? limits.tokenBodyBytes : limits.imageBodyBytes
        return .accept(maximumBodyBytes: maximumBodyBytes, answerWithin: limit, timeout: terms.timeout) { [stages] request in
            do throws(Overload) {
                try ComputeRequest(operation, terms: terms, inference: inference, within: limit, client: client, stages: stages).begin(request.body)
            } catch {
                client.refuse(error.problem)
            }
        }
    }

    private func client(_ head: HTTPRequestHead, _ responder: HTTPResponder, _ record: RequestRecord) throws(Problem) -> Client {
        guard let keys else { return Client(responder, record) }
        let key = try keys.key(of: head)
        record.isOf(key.name)
        return Client(responder, record, paying: (keys, key))
    }

    /// Carries out what an operator asks for, who shows a key that allows it.
    private func administer(_ endpoint: Endpoint, _ terms: RequestTerms, _ head: HTTPRequestHead, _ record: RequestRecord) throws(Problem)
        -> JSONValue
    {
        guard let keys, let models else {
            throw Problem(.forbidden, "nobody may order anything: the server was started without --api-keys, in which a key has operations=admin")
        }
        let key = try keys.key(of: head)
        record.isOf(key.name)
        guard key.mayAdminister else {
            throw Problem(.forbidden, "the API key \"\(key.name)\" may not do this: it has no operations=admin")
        }
        let model = terms.captures["model"]
        if case .order(let kind) = endpoint {
            let order = try kind.order(version: terms.version)
            try Problem.refusing { () throws(ModelError) in try models.take(order, for: model) }
        }
        guard let model else { return ModelsDocument(registry, limits.sizes).json }
        return try Problem.refusing { () throws(ModelError) in
            try StandingDocument(model, of: models, registry, stages.trials).json
        }
    }

    private func inferenceModel(_ terms: RequestTerms) throws(Problem) -> InferenceModel {
        try Problem.refusing { () throws(ModelError) in
            try InferenceModel(terms.captures["model"] ?? "", version: terms.captures["version"], in: registry)
        }
    }

    /// What the Open Inference Protocol calls the metadata of a server.
    private static let inferenceServer: JSONValue = [
        "name": .string(InferenceModel.platform), "version": "1", "extensions": .array(["binary_tensor_data"]),
    ]

    private static let alive = HTTPResponse.json(["status": "alive"])
    private static let ready = HTTPResponse.json(["status": "ready"])

    private func readiness() throws(Problem) -> HTTPResponse {
        guard !isDraining.load(ordering: .relaxed) else {
            throw Problem(.shuttingDown, "the server is about to stop", retryAfter: .seconds(1))
        }
        guard registry.isReady else { throw ModelError.notReady.problem }
        if let (work, duration) = stages.watchdog.stuck(at: .now) {
            throw Problem(.stuck, "\(work) has been going on for \(Int(duration / .seconds(1))) s", retryAfter: .seconds(10))
        }
        return Self.ready
    }

    private func metricsPage() -> HTTPResponse {
        var text = PrometheusText()
        metrics.write(to: &text)
        stages.write(to: &text)
        listeners.withLock { $0 }.forEach { $0(&text) }
        text.family("revq_log_lines_dropped_total", .counter, "Log lines that nobody read in time.")
        text.sample("revq_log_lines_dropped_total", [], droppedLogLines())
        ProcessStatus().write(to: &text)
        return HTTPResponse(status: .ok, headers: ["Content-Type": PrometheusText.contentType], body: Array(text.text.utf8))
    }
}

/// The service as one listener offers it.
struct RoutedHandler: HTTPHandler {
    let service: TokenizerService
    let routes: [Route]

    func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission {
        service.admit(head, responder, among: routes)
    }

    func response(to error: HTTPError) -> HTTPResponse {
        service.response(to: error)
    }
}

extension HTTPResponse {
    fileprivate static func json(_ document: JSONValue) -> HTTPResponse {
        HTTPResponse(status: .ok, headers: ["Content-Type": MediaType.json], body: document.bytes)
    }
}
