import HTTPTransport

/// What a request's head asks for, checked against its route before any of its body is read.
struct RequestTerms: Sendable {
    /// The media type of the answer, and of the answer to a list; nil where none is welcome that a list can have.
    let answerType: String
    let listAnswerType: String?
    /// The answers that the client has, by their `ETag`.
    let knownTags: [String]
    /// Whether what was computed for others will do: `Cache-Control: no-cache` says that it will not.
    let mayShare: Bool
    /// What the body is said to be; nil where nothing is said that can be read.
    let bodyType: MediaType?
    /// The `model` query parameter.
    let model: String?
    /// The `version` query parameter: a number or a label.
    let version: String?
    /// Of a JPEG answer, 1 to 100: the `quality` query parameter.
    let quality: Int
    /// Whose tokens the body holds, if it does not say so: the `Revq-Fingerprint` header, or the `fingerprint` query parameter.
    let fingerprint: String?
    /// Of the pictures: the `size` query parameter, or where tokens come the `Revq-Size` header; nil where neither says it.
    let size: PictureSize?
    /// What the path has in the places of the route's `{…}`.
    let captures: [String: String]
    /// How much of the body is JSON, where tensors follow: the `Inference-Header-Content-Length` header.
    let inferenceHeaderBytes: Int?
    /// How long its client waits: the `X-Request-Timeout-Ms` header.
    let timeout: Duration?

    /// Whether the model's name may be among what the body says.
    var bodyMayNameModel: Bool { bodyType?.name == MediaType.multipart || bodyType?.name == MediaType.json }

    init(_ head: HTTPRequestHead, on route: Route) throws(Problem) {
        let parameters = try Self.parameters(head.query, on: route)
        model = parameters["model"]
        version = parameters["version"]
        quality = try Self.quality(parameters["quality"])
        fingerprint = try Self.fingerprint(head.headers["Revq-Fingerprint"], parameters["fingerprint"])
        size = try Self.size(route.endpoint == .compute(.decode) ? head.headers["Revq-Size"] : nil, parameters["size"])
        captures = route.captures(of: head.path) ?? [:]
        inferenceHeaderBytes = try Self.headerBytes(head.headers["Inference-Header-Content-Length"])
        timeout = try Self.timeout(head.headers["X-Request-Timeout-Ms"])
        let acceptance = Acceptance(head.headers.list("Accept"))
        guard let answerType = acceptance.best(of: route.offers) else {
            throw Problem(.notAcceptable, "\(route.path) answers \(route.offers.joined(separator: " or "))")
        }
        self.answerType = answerType
        listAnswerType = acceptance.best(of: route.listOffers)
        knownTags = head.headers.list("If-None-Match")
        mayShare = !head.headers.list("Cache-Control").contains { $0.equalsIgnoringCase("no-cache") || $0.equalsIgnoringCase("no-store") }
        if !route.accepts.isEmpty { try Self.checkBody(head, on: route) }
        bodyType = head.headers["Content-Type"].flatMap { MediaType(parsing: $0) }
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

    private static func size(_ header: String?, _ parameter: String?) throws(Problem) -> PictureSize? {
        guard header == nil || parameter == nil || header == parameter else {
            throw Problem(.malformedQuery, "the header Revq-Size and the query parameter \"size\" differ")
        }
        guard let text = header ?? parameter else { return nil }
        guard let size = PictureSize(text) else {
            throw Problem(
                parameter == nil ? .malformedHeader : .malformedQuery, "the size is \"\(text.shortened)\"; expected \(PictureSize.form)")
        }
        return size
    }

    private static func timeout(_ header: String?) throws(Problem) -> Duration? {
        guard let header else { return nil }
        guard let milliseconds = Int(header), milliseconds >= 1 else {
            throw Problem(.malformedHeader, "X-Request-Timeout-Ms is \"\(header.shortened)\"; expected a whole number of milliseconds, at least 1")
        }
        return .milliseconds(milliseconds)
    }

    private static func headerBytes(_ header: String?) throws(Problem) -> Int? {
        guard let header else { return nil }
        guard let count = Int(header), count >= 0 else {
            throw Problem(.malformedHeader, "Inference-Header-Content-Length is \"\(header.shortened)\"; expected a number of bytes")
        }
        return count
    }

    private static func quality(_ parameter: String?) throws(Problem) -> Int {
        guard let parameter else { return 90 }
        guard let quality = Int(parameter), (1...100).contains(quality) else {
            throw Problem(.malformedQuery, "quality is \"\(parameter.shortened)\"; expected a whole number from 1 to 100")
        }
        return quality
    }

    /// Its type is not checked: what the bytes are decides.
    private static func checkBody(_ head: HTTPRequestHead, on route: Route) throws(Problem) {
        guard head.contentLength != 0 else {
            throw Problem(.emptyBody, "\(route.path) needs a body of one of: \(route.accepts.joined(separator: ", "))")
        }
        if let coding = head.headers["Content-Encoding"], !coding.equalsIgnoringCase("identity") {
            throw Problem(
                .unsupportedMediaType, "the content coding \"\(coding.shortened)\" is not supported; send the body as it is",
                headers: ["Accept-Encoding": "identity"])
        }
    }
}
