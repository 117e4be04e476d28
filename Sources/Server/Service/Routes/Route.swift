import HTTPTransport
import Pages

/// One line of the service's interface. `openapi.yaml` describes exactly ``table``; a test compares them.
struct Route: Sendable {
    let method: HTTPMethod
    let path: String
    let endpoint: Endpoint
    /// The media types a request body may have; empty where there is none.
    let accepts: [String]
    /// The media types of the answer, the preferred one first.
    let offers: [String]
    /// Those that the answer to a list may have, in the same order; empty where it takes none.
    var listOffers: [String] { accepts.isEmpty ? [] : offers.filter(Self.listFormats.contains).sorted { a, _ in a == MediaType.json } }
    /// The query parameters it knows.
    let parameters: [String]
    /// How it may refuse a request, beyond what the transport refuses at every path.
    let problems: [ProblemCode]

    static let table: [Route] = [
        .compute("/encode", .encode, accepts: imageBodies, offers: tokenFormats + [MediaType.ndjson], problems: imageProblems),
        .compute(
            "/decode", .decode, accepts: tokenFormats, offers: pictureAnswers, parameters: ["model", "fingerprint", "quality"],
            problems: tokenProblems),
        .compute(
            "/reconstruct", .reconstruct, accepts: imageBodies, offers: pictureAnswers, parameters: ["model", "quality"], problems: imageProblems),
        .information("/models", .models),
        .information("/info", .info),
        .information("/livez", .live),
        .information("/readyz", .ready, problems: [.notReady, .shuttingDown, .stuck]),
        .information("/metrics", .metrics, offers: [MediaType.prometheus]),
        .page(.playground), .page(.docs), .page(.status), .page(.interface),
    ]

    /// What the pages load. It is no interface: it changes with them.
    static let parts = PageFile.parts.map(page)

    /// What the listener for everything offers.
    /// - Parameter metricsAreElsewhere: whether there is a listener for health and metrics.
    static func service(hasPlayground: Bool, metricsAreElsewhere: Bool) -> [Route] {
        let left = table.filter { $0.endpoint != .page(.playground) || hasPlayground }
        return left.filter { $0.endpoint != .metrics || !metricsAreElsewhere } + parts
    }

    /// What a listener for health and metrics offers: what computes nothing, and the one page that reads it.
    static let administration =
        table.filter { route in
            switch route.endpoint {
            case .compute: false
            case .page(let file): file == .status
            case .models, .info, .live, .ready, .metrics: true
            }
        } + parts

    /// Files are known by their bytes, whatever they are said to be.
    static let imageBodies = [MediaType.jpeg, MediaType.png, MediaType.any, MediaType.multipart, MediaType.json]
    static let tokenFormats = [MediaType.json, MediaType.npy, MediaType.packed, MediaType.octets]
    static let pictureFormats = [MediaType.png, MediaType.jpeg, MediaType.npy]
    private static let pictureAnswers = pictureFormats + [MediaType.json, MediaType.ndjson]
    static let listFormats = [MediaType.json, MediaType.ndjson, MediaType.npy, MediaType.packed, MediaType.octets]
    private static let computeProblems: [ProblemCode] = [
        .emptyBody, .malformedBody, .malformedQuery, .malformedHeader, .unknownModel, .notAcceptable, .bodyTooLarge, .listTooLong,
        .unsupportedMediaType, .invalidField, .overloaded, .internalError, .engineFailed, .notReady, .noRoom, .deadlineExceeded,
    ]
    private static let imageProblems =
        computeProblems + [
            .imageEmpty, .imageTruncated, .imageCorrupt, .imageTooLarge, .imageFormatUnsupported, .imageOutOfMemory,
        ]
    private static let tokenProblems = computeProblems + [.fingerprintNotResident, .tokenCountMismatch, .tokenOutOfRange]

    private static func compute(
        _ path: String, _ operation: Operation, accepts: [String], offers: [String], parameters: [String] = ["model"],
        problems: [ProblemCode]
    ) -> Route {
        Route(
            method: .post, path: path, endpoint: .compute(operation), accepts: accepts, offers: offers,
            parameters: parameters, problems: problems)
    }

    private static func information(
        _ path: String, _ endpoint: Endpoint, offers: [String] = [MediaType.json], problems: [ProblemCode] = []
    ) -> Route {
        Route(
            method: .get, path: path, endpoint: endpoint, accepts: [], offers: offers, parameters: [],
            problems: [.malformedQuery, .notAcceptable] + problems)
    }

    private static func page(_ file: PageFile) -> Route {
        information(file.path, .page(file), offers: [file.mediaType])
    }

    /// What it is called in metrics: one name for all parts of pages.
    var label: String { isPart ? PageFile.folder : path }

    private var isPart: Bool { path.hasPrefix(PageFile.folder) }

    /// Whether it takes a slot and the engine's time.
    var isCompute: Bool {
        if case .compute = endpoint { true } else { false }
    }

    /// Whether machines ask for it, again and again.
    var isProbe: Bool { [.live, .ready, .metrics].contains(endpoint) }

    /// What `OPTIONS *` answers: the methods that some resource has.
    static let methods = "GET, HEAD, POST, OPTIONS"

    /// The route of a request, among those that are offered. `HEAD` is answered wherever `GET` is.
    static func find(_ head: HTTPRequestHead, among offered: [Route]) throws(Problem) -> Route {
        let routes = offered.filter { $0.path == head.path }
        guard !routes.isEmpty else {
            throw Problem(
                .notFound, "there is nothing at \(head.path.shortened); see \(offered.filter { !$0.isPart }.map(\.path).joined(separator: ", "))")
        }
        let method = head.method == .head ? .get : head.method
        guard let route = routes.first(where: { $0.method == method }) else {
            let allow = routes.map { $0.method == .get ? "GET, HEAD" : $0.method.rawValue }.joined(separator: ", ")
            throw Problem(
                .methodNotAllowed, "\(head.path) has no method \(head.method.rawValue.shortened); it has \(allow)", headers: ["Allow": allow])
        }
        return route
    }
}

/// What stands behind a route.
enum Endpoint: Sendable, Equatable {
    case compute(Operation)
    case models
    case info
    case live
    case ready
    case metrics
    case page(PageFile)
}
