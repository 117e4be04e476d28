import HTTPTransport
import Locks

/// What has happened in the service, counted. How many series there are depends on its routes, stages and codes alone, never on what clients
/// send.
final class ServiceMetrics: Sendable {
    private struct Request: Hashable {
        let route: String
        let method: String
        let status: Int
    }

    private struct OperationStage: Hashable {
        let operation: Operation
        let stage: RequestRecord.Stage
    }

    private struct Dispatch: Hashable {
        let operation: Operation
        let reason: DispatchReason
    }

    private struct Cancellation: Hashable {
        let stage: RequestRecord.Stage
        let reason: String
    }

    private struct State {
        var requests: [Request: Int] = [:]
        var durations: [String: Histogram] = [:]
        var stages: [OperationStage: Histogram] = [:]
        var batches: [Operation: Histogram] = [:]
        var dispatches: [Dispatch: Int] = [:]
        var interrupted: [Operation: Int] = [:]
        var refusals: [ProblemCode: Int] = [:]
        var cancellations: [Cancellation: Int] = [:]
        var loads = Histogram.durations
        var refusedCheckpoints = 0
        var trials: [TrialEnd: Int] = [:]
    }

    private let state = Lock(State())

    /// A request has been answered.
    /// - Parameter route: nil where none was found.
    func answered(
        _ route: Route?, _ method: HTTPMethod, status: Int, total: Duration, stages: [(stage: RequestRecord.Stage, duration: Duration)]
    ) {
        let path = route?.label ?? "none"
        state.withLock { state in
            state.requests[Request(route: path, method: Self.known(method), status: status), default: 0] += 1
            state.durations[path, default: .durations].record(total / .seconds(1))
            guard case .compute(let operation)? = route?.endpoint else { return }
            for (stage, duration) in stages {
                state.stages[OperationStage(operation: operation, stage: stage), default: .durations].record(duration / .seconds(1))
            }
        }
    }

    /// Nobody waits for a request's answer any more.
    func cancelled(at stage: RequestRecord.Stage, _ reason: HTTPCancellation) {
        state.withLock { $0.cancellations[Cancellation(stage: stage, reason: reason.label), default: 0] += 1 }
    }

    func refused(_ code: ProblemCode) {
        state.withLock { $0.refusals[code, default: 0] += 1 }
    }

    /// A batch has run.
    /// - Parameter wasInterrupted: whether it ended early, because nobody waited for it any more.
    func ran(_ operation: Operation, items: Int, reason: DispatchReason, wasInterrupted: Bool) {
        state.withLock { state in
            state.batches[operation, default: .batchSizes].record(Double(items))
            state.dispatches[Dispatch(operation: operation, reason: reason), default: 0] += 1
            if wasInterrupted { state.interrupted[operation, default: 0] += 1 }
        }
    }

    /// A checkpoint has been loaded and is served from now on.
    func loaded(after duration: Duration) {
        state.withLock { $0.loads.record(duration / .seconds(1)) }
    }

    /// A checkpoint could not be loaded, so that what was served before still is.
    func refusedCheckpoint() {
        state.withLock { $0.refusedCheckpoints += 1 }
    }

    /// How a canary's trial may end.
    enum TrialEnd: String, CaseIterable {
        case promoted
        case rolledBack = "rolled_back"
        /// Another version took its place, or it was removed.
        case withdrawn
    }

    func endedTrial(_ end: TrialEnd) {
        state.withLock { $0.trials[end, default: 0] += 1 }
    }

    private static func known(_ method: HTTPMethod) -> String {
        [.get, .head, .post, .options].contains(method) ? method.rawValue : "other"
    }

    func write(to text: inout PrometheusText) {
        let state = state.withLock { $0 }
        text.family("revq_http_requests_total", .counter, "Requests answered.")
        for (key, count) in sorted(state.requests, by: { "\($0.route) \($0.method) \($0.status)" }) {
            text.sample("revq_http_requests_total", [("route", key.route), ("method", key.method), ("code", "\(key.status)")], count)
        }
        text.family("revq_http_request_duration_seconds", .histogram, "From a request's head to its answer.")
        for (route, histogram) in sorted(state.durations, by: { $0 }) {
            text.sample("revq_http_request_duration_seconds", [("route", route)], histogram)
        }
        text.family("revq_stage_duration_seconds", .histogram, "What a request's time was spent with.")
        for (key, histogram) in sorted(state.stages, by: { "\($0.operation) \($0.stage)" }) {
            text.sample("revq_stage_duration_seconds", [("operation", key.operation.rawValue), ("stage", key.stage.rawValue)], histogram)
        }
        text.family("revq_batch_size", .histogram, "Items of a batch.")
        for (operation, histogram) in sorted(state.batches, by: \.rawValue) {
            text.sample("revq_batch_size", [("operation", operation.rawValue)], histogram)
        }
        text.family("revq_batch_dispatch_total", .counter, "Batches, by the reason why they were formed.")
        for (key, count) in sorted(state.dispatches, by: { "\($0.operation) \($0.reason)" }) {
            text.sample("revq_batch_dispatch_total", [("operation", key.operation.rawValue), ("reason", key.reason.rawValue)], count)
        }
        text.family("revq_batch_interrupted_total", .counter, "Batches that ended early, because nobody waited for them any more.")
        for (operation, count) in sorted(state.interrupted, by: \.rawValue) {
            text.sample("revq_batch_interrupted_total", [("operation", operation.rawValue)], count)
        }
        text.family("revq_refused_total", .counter, "Requests refused, by the code of their problem.")
        for (code, count) in sorted(state.refusals, by: \.rawValue) { text.sample("revq_refused_total", [("code", code.rawValue)], count) }
        text.family("revq_model_load_seconds", .histogram, "Checkpoints loaded and swapped in, and what that took.")
        text.sample("revq_model_load_seconds", [], state.loads)
        text.family("revq_model_refused_total", .counter, "Attempts to load a checkpoint that failed.")
        text.sample("revq_model_refused_total", [], state.refusedCheckpoints)
        text.family("revq_canary_trials_total", .counter, "Trials of new versions, by how they ended.")
        for end in TrialEnd.allCases { text.sample("revq_canary_trials_total", [("end", end.rawValue)], state.trials[end] ?? 0) }
        text.family("revq_cancelled_total", .counter, "Requests that ended without an answer of the service, by the stage that they were in.")
        for (key, count) in sorted(state.cancellations, by: { "\($0.stage) \($0.reason)" }) {
            text.sample("revq_cancelled_total", [("stage", key.stage.rawValue), ("reason", key.reason)], count)
        }
    }

    /// In an order that does not change from one scrape to the next.
    private func sorted<Key, Value>(_ series: [Key: Value], by name: (Key) -> String) -> [(key: Key, value: Value)] {
        series.map { (name: name($0.key), element: $0) }.sorted { $0.name < $1.name }.map(\.element)
    }
}

extension HTTPCancellation {
    /// As a label's value.
    fileprivate var label: String {
        switch self {
        case .disconnected: "disconnected"
        case .bodyRefused: "body_refused"
        case .deadlinePassed: "deadline_passed"
        case .serverStopped: "server_stopped"
        }
    }
}
