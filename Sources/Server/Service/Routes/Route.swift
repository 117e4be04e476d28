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
        .compute(
            "/encode", .encode, accepts: imageBodies, offers: tokenFormats + [MediaType.ndjson], parameters: ["model", "version", "size"],
            problems: imageProblems),
        .compute(
            "/decode", .decode, accepts: tokenFormats, offers: pictureAnswers, parameters: ["model", "fingerprint", "size", "quality"],
            problems: tokenProblems),
        .compute(
            "/reconstruct", .reconstruct, accepts: imageBodies, offers: pictureAnswers, parameters: ["model", "version", "size", "quality"],
            problems: imageProblems),
        .information("/models", .models),
        .information("/info", .info),
        .information("/livez", .live),
        .information("/readyz", .ready, problems: [.notReady, .shuttingDown, .stuck]),
        .information("/metrics", .metrics, offers: [MediaType.prometheus]),
        .information("/v2", .inferenceServer),
        .information("/v2/health/live", .inferenceLive),
        .information("/v2/health/ready", .inferenceReady, problems: [.notReady, .shuttingDown, .stuck]),
        .information("/v2/models/{model}", .inferenceModel, problems: modelProblems),
        .information("/v2/models/{model}/ready", .inferenceModelReady, problems: modelProblems),
        .information("/v2/models/{model}/versions/{version}", .inferenceModel, problems: modelProblems),
        .information("/v2/models/{model}/versions/{version}/ready", .inferenceModelReady, problems: modelProblems),
        .infer("/v2/models/{model}/infer"), .infer("/v2/models/{model}/versions/{version}/infer"),
        .information("/admin/models/{model}", .standing, problems: administrationProblems + [.unknownModel]),
        .order("/admin/reload", .reload, problems: []),
        .order("/admin/models/{model}/rollback", .rollback, problems: [.unknownModel, .conflict]),
        .order("/admin/models/{model}/promote", .promote, problems: [.unknownModel, .conflict]),
        .order("/admin/models/{model}/pin", .pin, parameters: ["version"], problems: [.unknownModel]),
        .order("/admin/models/{model}/unpin", .unpin, problems: [.unknownModel]),
        .order("/admin/models/{model}/load", .load, parameters: ["version"], problems: [.unknownModel]),
        .order("/admin/models/{model}/unload", .unload, parameters: ["version"], problems: [.unknownModel, .conflict]),
        .page(.playground), .page(.docs), .page(.status), .page(.interface),
    ]

    /// What the pages load. It is no interface: it changes with them.
    static let parts = PageFile.parts.map(page)

    /// What the listener for everything offers.
    /// - Parameter metricsAreElsewhere: whether there is a listener for health and metrics.
    static func service(hasPlayground: Bool, metricsAreElsewhere: Bool) -> [Route] {
        let left = table.filter { ($0.endpoint != .page(.playground) || hasPlayground) && !$0.endpoint.isAdministration }
        return left.filter { $0.endpoint != .metrics || !metricsAreElsewhere } + parts
    }

    /// What a listener for health and metrics offers: what computes nothing, the one page that reads it, and what only operators do.
    static let administration =
        table.filter { route in
            switch route.endpoint {
            case .compute, .infer: false
            case .page(let file): file == .status
            case .models, .info, .live, .ready, .metrics, .inferenceServer, .inferenceLive, .inferenceReady: true
            case .inferenceModel, .inferenceModelReady, .standing, .order: true
            }
        } + parts

    /// Files are known by their bytes, whatever they are said to be.
    static let imageBodies = [MediaType.jpeg, MediaType.png, MediaType.any, MediaType.multipart, MediaType.json]
    static let tokenFormats = [MediaType.json, MediaType.npy, MediaType.packed, MediaType.octets]
    static let pictureFormats = [MediaType.png, MediaType.jpeg, MediaType.npy]
    private static let pictureAnswers = pictureFormats + [MediaType.json, MediaType.ndjson]
    static let listFormats = [MediaType.json, MediaType.ndjson, MediaType.npy, MediaType.packed, MediaType.octets]
    private static let computeProblems: [ProblemCode] = [
        .emptyBody, .malformedBody, .malformedQuery, .malformedHeader, .unauthorized, .forbidden, .quotaExceeded, .unknownModel, .notAcceptable,
        .bodyTooLarge, .listTooLong,
        .unsupportedMediaType, .invalidField, .sizeNotServed, .overloaded, .internalError, .engineFailed, .notReady, .noRoom, .deadlineExceeded,
    ]
    private static let imageProblems =
        computeProblems + [
            .imageEmpty, .imageTruncated, .imageCorrupt, .imageTooLarge, .imageFormatUnsupported, .imageOutOfMemory,
        ]
    private static let tokenProblems = computeProblems + [.fingerprintNotResident, .tokenCountMismatch, .tokenOutOfRange]

    private static func compute(
        _ path: String, _ operation: Operation, accepts: [String], offers: [String], parameters: [String], problems: [ProblemCode]
    ) -> Route {
        Route(
            method: .post, path: path, endpoint: .compute(operation), accepts: accepts, offers: offers,
            parameters: parameters, problems: problems)
    }

    private static let modelProblems: [ProblemCode] = [.unknownModel, .notReady]

    private static func infer(_ path: String) -> Route {
        Route(
            method: .post, path: path, endpoint: .infer, accepts: [MediaType.json, MediaType.octets], offers: [MediaType.json, MediaType.octets],
            parameters: [], problems: imageProblems + [.fingerprintNotResident, .tokenCountMismatch, .tokenOutOfRange])
    }

    private static func information(
        _ path: String, _ endpoint: Endpoint, offers: [String] = [MediaType.json], problems: [ProblemCode] = []
    ) -> Route {
        Route(
            method: .get, path: path, endpoint: endpoint, accepts: [], offers: offers, parameters: [],
            problems: [.malformedQuery, .notAcceptable] + problems)
    }

    private static let administrationProblems: [ProblemCode] = [.unauthorized, .forbidden]

    private static func order(_ path: String, _ kind: OrderKind, parameters: [String] = [], problems: [ProblemCode]) -> Route {
        Route(
            method: .post, path: path, endpoint: .order(kind), accepts: [], offers: [MediaType.json], parameters: parameters,
            problems: [.malformedQuery, .notAcceptable] + administrationProblems + problems)
    }

    private static func page(_ file: PageFile) -> Route {
        information(file.path, .page(file), offers: [file.mediaType])
    }

    /// What it is called in metrics: one name for all parts of pages.
    var label: String { isPart ? PageFile.folder : path }

    private var isPart: Bool { path.hasPrefix(PageFile.folder) }

    /// Whether it takes a slot and the engine's time.
    var isCompute: Bool {
        switch endpoint {
        case .compute, .infer: true
        default: false
        }
    }

    /// Whether machines ask for it, again and again.
    var isProbe: Bool { [.live, .ready, .metrics, .inferenceLive, .inferenceReady, .inferenceModelReady].contains(endpoint) }

    private var isTemplate: Bool { endpoint.templatePrefix != nil }

    /// What a path has in the places of `{…}`; nil where it is no path of this route.
    func captures(of path: String) -> [String: String]? {
        guard let prefix = endpoint.templatePrefix, path.hasPrefix(prefix) else { return self.path == path ? [:] : nil }
        let (names, parts) = (self.path.split(separator: "/"), path.split(separator: "/", omittingEmptySubsequences: false).dropFirst())
        guard names.count == parts.count else { return nil }
        var captures: [String: String] = [:]
        for (name, part) in zip(names, parts) {
            if name.first == "{" {
                captures[String(name.dropFirst().dropLast())] = String(part)
            } else if name != part {
                return nil
            }
        }
        return captures
    }

    /// The methods that there are at a path, for a browser that asks.
    static func methods(at path: String, among offered: [Route]) -> [String] {
        offered.filter { $0.path == path || $0.isTemplate && $0.captures(of: path) != nil }.map(\.method.rawValue)
    }

    /// What `OPTIONS *` answers: the methods that some resource has.
    static let methods = "GET, HEAD, POST, OPTIONS"

    /// The route of a request, among those that are offered. `HEAD` is answered wherever `GET` is.
    static func find(_ head: HTTPRequestHead, among offered: [Route]) throws(Problem) -> Route {
        let routes = offered.filter { $0.path == head.path || $0.isTemplate && $0.captures(of: head.path) != nil }
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
    // The Open Inference Protocol, version 2.
    case inferenceServer
    case inferenceLive
    case inferenceReady
    case inferenceModel
    case inferenceModelReady
    case infer
    // What only operators do.
    case standing
    case order(OrderKind)

    /// How its paths begin, where they name a model.
    fileprivate var templatePrefix: String? {
        switch self {
        case .inferenceModel, .inferenceModelReady, .infer: "/v2/models/"
        case .standing, .order: "/admin/models/"
        default: nil
        }
    }

    var isAdministration: Bool {
        switch self {
        case .standing, .order: true
        default: false
        }
    }
}
