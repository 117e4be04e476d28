import HTTPTransport
import Locks
import Logging

/// One request from its head to its end: who asks for what, the stages it has gone through, and what became of it. Its end is one line in
/// the log, and counts in the metrics.
final class RequestRecord: Sendable {
    /// Where a request is; one follows the other, so that their times add up to the whole. One for a list is where the first of its items is,
    /// and finishes with the last.
    enum Stage: String, Sendable, CaseIterable {
        /// Its body arrives.
        case read
        /// It waits for a thread that reads pictures or tokens.
        case thread
        /// Its body is understood, its picture decoded.
        case prepare
        /// It waits for a batch.
        case queue
        case compute
        /// Its answer is written.
        case finish

        fileprivate var place: Int { Self.allCases.firstIndex(of: self)! }
    }

    private struct State {
        var stage = Stage.read
        var since: ContinuousClock.Instant
        var durations: [(stage: Stage, duration: Duration)] = []
        var isOver = false
        /// The name of the key that it shows.
        var key: String?

        /// - Parameter next: nil where it ends.
        mutating func enter(_ next: Stage?) {
            guard !isOver, next.map({ $0.place > stage.place }) != false else { return }
            let now = ContinuousClock.now
            durations.append((stage, since.duration(to: now)))
            since = now
            if let next { stage = next } else { isOver = true }
        }
    }

    let identity: RequestIdentity
    /// Whether it is asked by the Open Inference Protocol.
    let isInference: Bool
    let start = ContinuousClock.now
    private let request: String
    private let route: Route?
    /// What every answer says besides.
    private let headers: HTTPHeaders
    private let method: HTTPMethod
    private let version: HTTPVersion
    private let logger: Logger
    private let metrics: ServiceMetrics
    private let state: Lock<State>

    /// - Parameter route: nil where there is none for it.
    init(_ head: HTTPRequestHead, route: Route?, identity: RequestIdentity, headers: HTTPHeaders = [:], logger: Logger, metrics: ServiceMetrics) {
        self.identity = identity
        self.headers = headers
        self.route = route
        self.logger = logger
        isInference = head.path.hasPrefix("/v2")
        self.metrics = metrics
        (method, version) = (head.method, head.version)
        request = "\(head.method.rawValue.shortened) \(head.target.shortened)"
        state = Lock(State(since: start))
    }

    /// It shows the key of this name.
    func isOf(_ key: String) {
        state.withLock { $0.key = key }
    }

    /// The stage that it is in ends, another one begins.
    func enter(_ stage: Stage) {
        state.withLock { $0.enter(stage) }
    }

    func refused(_ problem: Problem) {
        metrics.refused(problem.code)
    }

    /// An answer begins whose body comes in parts.
    /// - Returns: its head with what a client may know of this request.
    func begun(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        response.headers["X-Request-ID"] = identity.id
        for field in headers { response.headers.add(name: field.name, value: field.value) }
        return response
    }

    /// It ends with an answer.
    /// - Returns: the answer with what a client may know of this request.
    func answered(_ response: HTTPResponse) -> HTTPResponse {
        let (durations, total) = end()
        var response = begun(response)
        if route?.isCompute == true { response.headers["Server-Timing"] = Self.serverTiming(durations, total) }
        metrics.answered(route, method, status: response.status.code, total: total, stages: route?.isCompute == true ? durations : [])
        if !isUneventful(response) {
            log(["status": "\(response.status.code)", "bytes": "\(response.body.count)"], durations, total)
        }
        return response
    }

    /// It ends without one.
    func givenUp(_ reason: HTTPCancellation) {
        let stage = state.withLock { $0.stage }
        let (durations, total) = end()
        metrics.cancelled(at: stage, reason)
        log(["given-up": "\(reason)", "stage": "\(stage.rawValue)"], durations, total)
    }

    /// Probes and scrapes that find what they should are not worth a line, several times a second.
    private func isUneventful(_ response: HTTPResponse) -> Bool {
        route?.isProbe == true && response.status == .ok
    }

    private func end() -> (durations: [(stage: Stage, duration: Duration)], total: Duration) {
        state.withLock { state in
            state.enter(nil)
            return (state.durations, start.duration(to: state.since))
        }
    }

    private func log(_ outcome: Logger.Metadata, _ durations: [(stage: Stage, duration: Duration)], _ total: Duration) {
        var metadata = outcome.merging(identity.metadata) { $1 }
        if let key = state.withLock({ $0.key }) { metadata["key"] = "\(key)" }
        metadata["protocol"] = "\(version.rawValue)"
        metadata["milliseconds"] = "\(total.milliseconds)"
        if durations.count > 1 {
            metadata["stages"] = "\(durations.map { "\($0.stage.rawValue):\($0.duration.milliseconds)" }.joined(separator: ","))"
        }
        logger.info("\(request)", metadata: metadata)
    }

    /// Source: W3C Server Timing; durations in milliseconds.
    private static func serverTiming(_ durations: [(stage: Stage, duration: Duration)], _ total: Duration) -> String {
        let stages = durations.map { "\($0.stage.rawValue);dur=\($0.duration.milliseconds)" }
        return (stages + ["total;dur=\(total.milliseconds)"]).joined(separator: ", ")
    }
}

extension Duration {
    /// With one digit behind the point.
    fileprivate var milliseconds: Double {
        (self / .milliseconds(1) * 10).rounded() / 10
    }
}
