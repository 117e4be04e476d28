import HTTPTransport

/// What a request's head asks for, checked against its route before any of its body is read.
struct RequestTerms: Sendable {
    /// The media type of the answer.
    let answerType: String
    /// The media type of the body with its parameters; nil where the route takes none.
    let bodyType: MediaType?
    /// The `model` query parameter.
    let model: String?
    /// Whose tokens a NumPy array holds: the `Revq-Fingerprint` header, or the `fingerprint` query parameter.
    let fingerprint: String?
    /// How long its client waits: the `X-Request-Timeout-Ms` header.
    let timeout: Duration?

    init(_ head: HTTPRequestHead, on route: Route) throws(Problem) {
        let parameters = try Self.parameters(head.query, on: route)
        model = parameters["model"]
        fingerprint = try Self.fingerprint(head.headers["Revq-Fingerprint"], parameters["fingerprint"])
        timeout = try Self.timeout(head.headers["X-Request-Timeout-Ms"])
        guard let answerType = Acceptance(head.headers.list("Accept")).best(of: route.offers) else {
            throw Problem(.notAcceptable, "\(route.path) answers \(route.offers.joined(separator: " or "))")
        }
        self.answerType = answerType
        bodyType = try route.accepts.isEmpty ? nil : Self.bodyType(head, on: route)
    }

    private static func parameters(_ query: HTTPQuery, on route: Route) throws(Problem) -> [String: String] {
        var parameters: [String: String] = [:]
        for item in query {
            guard route.parameters.contains(item.name) else {
                let known = route.parameters.isEmpty ? "none" : route.parameters.joined(separator: ", ")
                throw Problem(.malformedQuery, "there is no query parameter \"\(item.name.shortened)\"; known are: \(known)")
            }
            guard parameters.updateValue(item.value, forKey: item.name) == nil else {
                throw Problem(.malformedQuery, "the query parameter \"\(item.name)\" occurs twice")
            }
        }
        return parameters
    }

    private static func fingerprint(_ header: String?, _ parameter: String?) throws(Problem) -> String? {
        guard header == nil || parameter == nil || header == parameter else {
            throw Problem(.malformedQuery, "the header Revq-Fingerprint and the query parameter \"fingerprint\" differ")
        }
        return header ?? parameter
    }

    private static func timeout(_ header: String?) throws(Problem) -> Duration? {
        guard let header else { return nil }
        guard let milliseconds = Int(header), milliseconds >= 1 else {
            throw Problem(.malformedHeader, "X-Request-Timeout-Ms is \"\(header.shortened)\"; expected a whole number of milliseconds, at least 1")
        }
        return .milliseconds(milliseconds)
    }

    private static func bodyType(_ head: HTTPRequestHead, on route: Route) throws(Problem) -> MediaType {
        let expected = route.accepts.joined(separator: ", ")
        guard head.contentLength != 0 else { throw Problem(.emptyBody, "\(route.path) needs a body of one of: \(expected)") }
        if let coding = head.headers["Content-Encoding"], !coding.equalsIgnoringCase("identity") {
            throw Problem(
                .unsupportedMediaType, "the content coding \"\(coding.shortened)\" is not supported; send the body as it is",
                headers: ["Accept-Encoding": "identity"])
        }
        guard let text = head.headers["Content-Type"] else {
            throw Problem(.unsupportedMediaType, "the request has no Content-Type; expected one of: \(expected)", headers: ["Accept": expected])
        }
        guard let type = MediaType(parsing: text), route.accepts.contains(type.name) else {
            throw Problem(
                .unsupportedMediaType, "the body's type is \"\(text.shortened)\"; expected one of: \(expected)", headers: ["Accept": expected])
        }
        return type
    }
}
