import FoundationEssentials
import HTTPTransport

/// One refusal as the client sees it (RFC 9457).
package struct Problem: Error, Equatable {
    let code: ProblemCode
    /// What was wrong with this request, and what was expected.
    let detail: String
    /// When it is worth trying again.
    var retryAfter: Duration?
    /// The methods that the resource has, for 405.
    var allow: String?

    init(_ code: ProblemCode, _ detail: String, retryAfter: Duration? = nil, allow: String? = nil) {
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
        self.allow = allow
    }

    /// - Parameter status: replaces the code's own, for what the transport has decided.
    func response(status: HTTPStatus? = nil) -> HTTPResponse {
        let status = status ?? HTTPStatus(code.status)
        let document = Document(
            type: "urn:revq:problem:\(code.rawValue)", title: code.title, status: status.code, detail: detail, code: code.rawValue)
        var response = HTTPResponse(status: status, headers: ["Content-Type": MediaType.problem], body: document.jsonBytes)
        if let retryAfter { response.headers["Retry-After"] = "\(retryAfter.wholeSeconds)" }
        if let allow { response.headers["Allow"] = allow }
        return response
    }

    private struct Document: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let code: String
    }
}

extension Encodable {
    /// As JSON with sorted fields, so that equal answers are equal bytes, and a line break at its end.
    var jsonBytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("\(Self.self) has no JSON form") }
        return Array(data) + [UInt8(ascii: "\n")]
    }
}

extension Duration {
    /// In seconds, rounded up to at least 1, as `Retry-After` needs it.
    fileprivate var wholeSeconds: Int64 {
        max(1, components.seconds + (components.attoseconds > 0 ? 1 : 0))
    }
}
