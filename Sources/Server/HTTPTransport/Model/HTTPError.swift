/// Why the transport itself refuses a request, before or instead of its handler.
public struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    public let status: HTTPStatus
    /// One line for the client: what was wrong and what was expected.
    public let reason: String
    /// Sent as `Retry-After` where the same request may succeed later.
    public let retryAfterSeconds: Int?

    public init(_ status: HTTPStatus, _ reason: String, retryAfterSeconds: Int? = nil) {
        self.status = status
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
    }

    public var description: String { "\(status): \(reason)" }
}
