import Files

/// One file of the pages that people open in a browser, as it is compiled into the program.
package struct PageFile: Sendable, Equatable {
    /// Where it is served.
    package let path: String
    /// Its `Content-Type`.
    package let contentType: String
    package let bytes: [UInt8]
    /// A strong entity tag (RFC 9110 §8.8.3): the contents decide, so that a browser asks again after an update and is told of it.
    package let tag: String

    private init(_ path: String, _ contentType: String, _ bytes: [UInt8]) {
        (self.path, self.contentType, self.bytes) = (path, contentType, bytes)
        tag = "\"\(FileDigest(contents: bytes).sha256.prefix(16))\""
    }

    /// What a page loads.
    private init(part name: String, _ bytes: [UInt8]) {
        let ending = String(name.split(separator: ".").last ?? "")
        guard let contentType = Self.contentTypes[ending] else { preconditionFailure("\(name) has no known type") }
        self.init(Self.folder + name, contentType, bytes)
    }

    /// Where the parts of pages are.
    package static let folder = "/pages/"
    private static let html = "text/html; charset=utf-8"
    private static let contentTypes = [
        "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "jpg": "image/jpeg",
    ]

    package static let playground = PageFile("/", html, PackageResources.playground_html)
    /// The interface for people, which `Tools/reference.py` writes from ``interface``.
    package static let docs = PageFile("/docs", html, PackageResources.docs_html)
    package static let status = PageFile("/status", html, PackageResources.status_html)
    /// The interface for programs.
    package static let interface = PageFile("/openapi.yaml", "application/yaml", PackageResources.openapi_yaml)

    /// What the pages load.
    package static let parts = [
        PageFile(part: "baseline.js", PackageResources.baseline_js),
        PageFile(part: "cat.jpg", PackageResources.cat_jpg),
        PageFile(part: "coffee.jpg", PackageResources.coffee_jpg),
        PageFile(part: "comparison.js", PackageResources.comparison_js),
        PageFile(part: "docs.js", PackageResources.docs_js),
        PageFile(part: "examples.jpg", PackageResources.examples_jpg),
        PageFile(part: "figures.js", PackageResources.figures_js),
        PageFile(part: "heat.js", PackageResources.heat_js),
        PageFile(part: "icon.svg", PackageResources.icon_svg),
        PageFile(part: "intake.js", PackageResources.intake_js),
        PageFile(part: "locating.js", PackageResources.locating_js),
        PageFile(part: "models.js", PackageResources.models_js),
        PageFile(part: "navigation.js", PackageResources.navigation_js),
        PageFile(part: "notice.js", PackageResources.notice_js),
        PageFile(part: "picture.js", PackageResources.picture_js),
        PageFile(part: "places.js", PackageResources.places_js),
        PageFile(part: "playground.js", PackageResources.playground_js),
        PageFile(part: "prometheus.js", PackageResources.prometheus_js),
        PageFile(part: "quality.js", PackageResources.quality_js),
        PageFile(part: "reference.css", PackageResources.reference_css),
        PageFile(part: "rocket.jpg", PackageResources.rocket_jpg),
        PageFile(part: "service.js", PackageResources.service_js),
        PageFile(part: "session.js", PackageResources.session_js),
        PageFile(part: "snippets.js", PackageResources.snippets_js),
        PageFile(part: "status.css", PackageResources.status_css),
        PageFile(part: "status.js", PackageResources.status_js),
        PageFile(part: "style.css", PackageResources.style_css),
        PageFile(part: "taking.js", PackageResources.taking_js),
        PageFile(part: "tokenfile.js", PackageResources.tokenfile_js),
        PageFile(part: "tokenmap.js", PackageResources.tokenmap_js),
    ]
}
