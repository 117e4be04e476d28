import Synchronization

/// What one event loop has counted. Only its thread counts; any thread reads.
final class LoopCounters: Sendable {
    /// A number with one writer: a plain addition, which others see whole.
    struct Counter: ~Copyable, Sendable {
        private let value = Atomic(0)

        var total: Int { value.load(ordering: .relaxed) }

        func count(_ amount: Int = 1) {
            value.store(value.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
        }
    }

    let accepted = Counter()
    let refusedBecauseFull = Counter()
    let refusedByAddress = Counter()
    let refusedForDescriptors = Counter()
    let evicted = Counter()
    let bytesRead = Counter()
    let bytesWritten = Counter()
    let headTimeouts = Counter()
    let bodyTimeouts = Counter()
    let answerTimeouts = Counter()
    let writeTimeouts = Counter()
    let idleTimeouts = Counter()

    /// Heads by the protocol of their connection.
    let requestsByHTTP1 = Counter()
    let requestsByHTTP2 = Counter()
    /// Connections that have come to speak HTTP/2.
    let http2Connections = Counter()
    let http2Resets = Counter()
    let http2ControlFrames = Counter()
    let http2Headers = Counter()
    let http2ProtocolErrors = Counter()

    /// What took too long.
    enum Timeout {
        case head, body, answer, write, idle
    }

    func count(_ timeout: Timeout) {
        switch timeout {
        case .head: headTimeouts.count()
        case .body: bodyTimeouts.count()
        case .answer: answerTimeouts.count()
        case .write: writeTimeouts.count()
        case .idle: idleTimeouts.count()
        }
    }

    func count(requestBy version: HTTPVersion) {
        switch version {
        case .http1_0, .http1_1: requestsByHTTP1.count()
        case .http2: requestsByHTTP2.count()
        }
    }

    func count(_ misbehaviour: HTTP2Misbehaviour) {
        switch misbehaviour {
        case .resets: http2Resets.count()
        case .controlFrames: http2ControlFrames.count()
        case .headers: http2Headers.count()
        case .protocolError: http2ProtocolErrors.count()
        }
    }
}
