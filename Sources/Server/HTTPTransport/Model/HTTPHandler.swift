/// What stands behind the transport. Every method is called on an event-loop thread and must return at once; the answer
/// may come later, from any thread, through the responder.
package protocol HTTPHandler: Sendable {
    /// Decides about a request whose head is complete and whose body has not been read.
    ///
    /// The responder is the one the complete request is answered by. Resources taken here are given back in
    /// ``HTTPResponder/onCancel(_:)``, which also covers a body that never arrives.
    func admit(_ head: HTTPRequestHead, _ responder: HTTPResponder) -> HTTPAdmission

    /// The answer to a request that the transport refuses: malformed, too large, too slow, or left unanswered too long.
    func response(to error: HTTPError) -> HTTPResponse
}

extension HTTPHandler {
    package func response(to error: HTTPError) -> HTTPResponse {
        HTTPResponse(status: error.status, text: error.reason + "\n")
    }
}

/// The handler's decision on a request head.
package enum HTTPAdmission: Sendable {
    /// Answered by the head alone. A body that is still to come is read and thrown away where it is small enough; otherwise the
    /// connection closes after the answer.
    case answer(HTTPResponse)

    /// Read the body, then call `handle`, once, on the event-loop thread.
    /// - maximumBodyBytes: a larger body is answered with 413, before it is read where its length is announced.
    /// - answerWithin: the time from the complete request to the answer, after which the transport answers 504 itself;
    ///   `nil` for the server's own limit.
    /// - timeout: the time from the head to the answer, the body's arrival included; `nil` where only `answerWithin` counts.
    case accept(
        maximumBodyBytes: Int, answerWithin: Duration? = nil, timeout: Duration? = nil, handle: @Sendable (HTTPRequest) -> Void)
}

/// Why the transport itself refuses a request, before or instead of its handler.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    package let status: HTTPStatus
    /// One line for the client: what was wrong and what was expected.
    package let reason: String
    /// Sent as `Retry-After` where the same request may succeed later.
    package let retryAfterSeconds: Int?
    /// Where the request ends is still certain, so that the connection can go on behind it.
    let leavesFraming: Bool

    package init(_ status: HTTPStatus, _ reason: String, retryAfterSeconds: Int? = nil) {
        self.init(status, reason, retryAfterSeconds: retryAfterSeconds, leavesFraming: false)
    }

    init(_ status: HTTPStatus, _ reason: String, retryAfterSeconds: Int? = nil, leavesFraming: Bool) {
        self.status = status
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
        self.leavesFraming = leavesFraming
    }

    package var description: String { "\(status): \(reason)" }
}

extension String {
    /// Short enough to be quoted in a reason.
    package var shortened: String {
        // Scalars, because one character can hold any number of them.
        unicodeScalars.count <= 40 ? self : String(unicodeScalars.prefix(37)) + "…"
    }
}
