/// What is spoken on one connection: the client's bytes in, its requests to the handler, their answers out as bytes. Only its loop's thread
/// touches it.
///
/// After each call its owner has it act, writes what there is, and looks at `wantsInput` and `deadline` again.
protocol Conversation: AnyObject {
    typealias Instant = ContinuousClock.Instant

    /// Nothing can be said any more.
    var isClosed: Bool { get }
    /// Everything is said, and the client must be told so.
    var isLingering: Bool { get }
    /// Whether bytes should be read from the client now.
    var wantsInput: Bool { get }
    /// Whether there is more to act on, for which others need not wait.
    var hasEvents: Bool { get }
    var output: HTTPOutput { get }
    /// When `expire` must be called; `nil` once closed.
    var deadline: Instant? { get }

    /// How it has fared since when; `nil` while the server works for it.
    func pace(at now: Instant) -> Pace?

    func receive(_ bytes: Span<UInt8>, at now: Instant)
    /// The client has shut down its side.
    func receiveEnd()
    /// Acts on some of what the client has said.
    /// - Returns: who goes on in its place, where the client changes the protocol.
    func act(_ context: borrowing LoopContext, at now: Instant) -> (any Conversation)?
    /// Takes an answer that came through the mailbox, unless its request is already over.
    func answer(_ response: HTTPResponse, exchange: UInt64, _ context: borrowing LoopContext, at now: Instant)
    /// Takes some more of the body of an answer that is open, unless its request is already over.
    func continueAnswer(_ part: [UInt8], isLast: Bool, exchange: UInt64, at now: Instant)
    /// Some of `output` is written.
    func didWrite(_ count: Int, at now: Instant)
    /// Acts on a deadline that has passed, and counts what took too long; does nothing before it.
    func expire(_ counters: LoopCounters, at now: Instant)
    /// Asks the client to go elsewhere with its next requests, where the protocol has words for that.
    func drain(at now: Instant)
    /// Ends the connection when what is in work is answered.
    func finish(at now: Instant)
    /// Closes at once and tells whoever still works for this client.
    func abandon(_ reason: HTTPCancellation)
}

/// A connection as the loop knows it, whatever is spoken on it.
struct ConnectionTerms {
    /// By which answers find back.
    let identifier: UInt64
    let peer: SocketAddress
    let limits: HTTPLimits
    let budget: BodyBudget
    /// Serves only what is answered at once: every other connection is in use.
    let isReserve: Bool
}

/// One request that waits for its answer.
struct RequestInWork {
    let exchange: HTTPExchange
    /// Takes the complete request, once.
    var handle: (@Sendable (HTTPRequest) -> Void)?
}

extension LoopContext {
    /// Asks the handler about a request whose head is complete.
    /// - Returns: the admission; an answer in it is settled, `nil` where another one was given before and is on its way through the mailbox.
    func admit(_ head: HTTPRequestHead, to connection: UInt64, exchange number: UInt64) -> (exchange: HTTPExchange, admission: HTTPAdmission?) {
        counters.count(requestBy: head.version)
        let mailbox = mailbox
        let exchange = HTTPExchange { delivery in
            switch delivery {
            case .answer(let response): mailbox.post(.answer(connection: connection, exchange: number, response))
            case .part(let bytes, let isLast): mailbox.post(.part(connection: connection, exchange: number, bytes, isLast: isLast))
            }
        }
        // A responder that nobody holds answers by itself: not before the answer that it was admitted with.
        let responder = HTTPResponder(exchange)
        return withExtendedLifetime(responder) {
            let admission = handler.admit(head, responder)
            if case .answer = admission, !exchange.settle() { return (exchange, nil) }
            return (exchange, admission)
        }
    }

    /// The answer to what the transport refuses.
    func refusal(_ error: HTTPError) -> HTTPResponse {
        var response = handler.response(to: error)
        if let seconds = error.retryAfterSeconds, !response.headers.contains("Retry-After") {
            response.headers.add(name: "Retry-After", value: String(seconds))
        }
        return response
    }
}

extension HTTPError {
    static let outOfConnections = HTTPError(
        .serviceUnavailable, "the server has as many connections as it can serve; try again", retryAfterSeconds: 1)

    /// Why whoever works for a refused request need not go on.
    var cancellation: HTTPCancellation { status == .gatewayTimeout ? .deadlinePassed : .bodyRefused }
}
