/// The way back to one request's client: answers it once, and tells whether anyone still waits.
///
/// A responder that is dropped without an answer answers 500, so that no client waits for a lost request.
package final class HTTPResponder: Sendable {
    private let exchange: HTTPExchange

    init(_ exchange: HTTPExchange) {
        self.exchange = exchange
    }

    /// A responder without a connection, for tests of a handler: `deliver` gets the answer.
    package convenience init(delivering deliver: @escaping @Sendable (HTTPResponse) -> Void) {
        self.init(
            HTTPExchange { delivery in
                if case .answer(let response) = delivery { deliver(response) }
            })
    }

    deinit {
        exchange.send([], isLast: true)
        exchange.answer(HTTPResponse(status: .internalServerError, text: "The request was dropped without an answer.\n"))
    }

    /// Sends the answer; callable from any thread.
    ///
    /// - Returns: whether it was taken. An answer after another, after the client left or after the deadline is dropped.
    @discardableResult
    package func respond(_ response: HTTPResponse) -> Bool {
        exchange.answer(response)
    }

    /// Sends the head of an answer whose body follows by ``send(_:)`` and ends with ``finish()``; its own body is the first part. Until then it may
    /// still be cancelled.
    @discardableResult
    package func begin(_ response: HTTPResponse) -> Bool {
        exchange.begin(response)
    }

    /// Sends some of the body of an answer that has begun, in the order of the calls.
    package func send(_ part: [UInt8]) {
        exchange.send(part, isLast: false)
    }

    /// Ends an answer that has begun.
    package func finish() {
        exchange.send([], isLast: true)
    }

    /// Nobody waits for the answer any more: the client left, the deadline passed, or the server stopped.
    package var isCancelled: Bool {
        exchange.isCancelled
    }

    /// Calls `action` once if the answer becomes useless before it is given; at once if it already is. It runs on the
    /// event-loop thread, never after an answer was taken. Several actions run in the order they were added.
    package func onCancel(_ action: @escaping @Sendable (HTTPCancellation) -> Void) {
        exchange.onCancel(action)
    }

    /// Cancels from a test's side, as a disconnect would.
    package func cancel(_ reason: HTTPCancellation) {
        exchange.cancel(reason)
    }
}

/// Why an answer is not wanted any more.
package enum HTTPCancellation: Sendable, Equatable {
    /// The client closed or reset the connection.
    case disconnected
    /// The request's body was malformed, too large or too slow; the client was told so.
    case bodyRefused
    /// The answer's time limit passed; the client was told 504.
    case deadlinePassed
    /// The server shut down before the answer came.
    case serverStopped
}
