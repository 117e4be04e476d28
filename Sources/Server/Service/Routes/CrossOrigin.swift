import HTTPTransport

/// Which pages of other origins may read answers (Fetch, §3.3: CORS). Without it none may.
struct CrossOrigin: Sendable, Equatable {
    /// Such as `https://a.example`; nil for all.
    private let origins: Set<String>?

    private static let readable = [
        "ETag", "Retry-After", "Revq-Fingerprint", "Revq-Model", "Revq-PSNR", "Revq-SSIM", "Revq-Size", "Revq-Version", "Server-Timing",
        "X-Request-ID",
    ].joined(separator: ", ")
    private static let writable = [
        "Authorization", "Cache-Control", "Content-Type", "If-None-Match", "Inference-Header-Content-Length", "Revq-Fingerprint", "Revq-Size",
        "X-API-Key", "X-Request-ID", "X-Request-Timeout-Ms",
    ].joined(separator: ", ")

    /// - Parameter text: origins separated by commas, or `*` for all.
    /// - Returns: nil where one of them is no origin: a scheme and a host, with a port perhaps.
    init?(_ text: String) {
        guard text != "*" else {
            origins = nil
            return
        }
        let names = text.split(separator: ",").map { $0.filter { $0 != " " } }
        guard !names.isEmpty, names.allSatisfy(Self.isOrigin) else { return nil }
        origins = Set(names)
    }

    private static func isOrigin(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return false }
        let host = text.dropFirst(scheme.count)
        return !host.isEmpty && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !host.contains { "/?#*".contains($0) }
    }

    /// What every answer to a page of this origin says.
    func headers(for head: HTTPRequestHead) -> HTTPHeaders {
        guard let origins else { return ["Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": Self.readable] }
        // Caches keep the answers to different origins apart.
        guard let origin = head.headers["Origin"], origins.contains(origin) else { return ["Vary": "Origin"] }
        return ["Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": Self.readable, "Vary": "Origin"]
    }

    /// The answer to a browser that asks before it sends; nil where that is not what the request is.
    /// - Parameter methods: those that there are at its path.
    func answer(toPreflight head: HTTPRequestHead, methods: [String]) -> HTTPResponse? {
        guard head.method == .options, head.headers.contains("Origin"), head.headers.contains("Access-Control-Request-Method"), !methods.isEmpty
        else { return nil }
        let headers: HTTPHeaders = [
            "Access-Control-Allow-Methods": methods.joined(separator: ", "), "Access-Control-Allow-Headers": Self.writable,
            "Access-Control-Max-Age": "600",
        ]
        return HTTPResponse(status: .noContent, headers: headers)
    }
}
