/// Why the transport itself refuses a request, before or instead of its handler.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    package let status: HTTPStatus
    /// One line for the client: what was wrong and what was expected.
    package let reason: String
    /// Sent as `Retry-After` where the same request may succeed later.
    package let retryAfterSeconds: Int?

    package init(_ status: HTTPStatus, _ reason: String, retryAfterSeconds: Int? = nil) {
        self.status = status
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
    }

    package var description: String { "\(status): \(reason)" }
}
