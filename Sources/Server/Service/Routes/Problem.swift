import HTTPTransport

/// One refusal as the client sees it (RFC 9457).
package struct Problem: Error, Equatable {
    let code: ProblemCode
    /// What was wrong with this request, and what was expected.
    let detail: String
    /// When it is worth trying again.
    let retryAfter: Duration?
    /// What else the client should know: `Allow` for 405, `Accept` for 415.
    let headers: HTTPHeaders

    /// The same of one member of a list.
    func of(item index: Int) -> Problem {
        Problem(code, "item \(index): \(detail)", retryAfter: retryAfter, headers: headers)
    }

    init(_ code: ProblemCode, _ detail: String, retryAfter: Duration? = nil, headers: HTTPHeaders = [:]) {
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
        self.headers = headers
    }

    /// The names of what ``document(for:status:)`` has.
    static let fields = ["type", "title", "status", "detail", "code", "request_id", "retryable", "error"]

    /// - Parameter status: replaces the code's own, for what the transport has decided.
    /// - Parameter isInference: adds `error`, where the Open Inference Protocol has what was wrong.
    func document(for requestID: String, status: Int? = nil, isInference: Bool = false) -> JSONValue {
        var fields: [String: JSONValue] = [
            "type": .string("urn:revq:problem:\(code.rawValue)"), "title": .string(code.title), "status": .integer(status ?? code.status),
            "detail": .string(detail), "code": .string(code.rawValue), "request_id": .string(requestID), "retryable": .boolean(code.isRetryable),
        ]
        if isInference { fields["error"] = .string(detail) }
        return .object(fields)
    }

    /// - Parameters:
    ///   - requestID: by which the request is in the log.
    ///   - status: replaces the code's own, for what the transport has decided.
    func response(for requestID: String, status: HTTPStatus? = nil, isInference: Bool = false) -> HTTPResponse {
        let status = status ?? HTTPStatus(code.status)
        var response = HTTPResponse(
            status: status, headers: headers, body: document(for: requestID, status: status.code, isInference: isInference).bytes)
        response.headers["Content-Type"] = MediaType.problem
        if let retryAfter { response.headers["Retry-After"] = "\(retryAfter.wholeSeconds)" }
        return response
    }
}

extension Duration {
    /// In seconds, rounded up to at least 1, as `Retry-After` needs it.
    fileprivate var wholeSeconds: Int64 {
        max(1, components.seconds + (components.attoseconds > 0 ? 1 : 0))
    }
}
