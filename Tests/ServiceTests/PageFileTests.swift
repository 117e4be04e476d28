import Foundation
import Testing

@testable import HTTPTransport
@testable import Pages
@testable import Service

/// The pages are whole, and run nothing but what this server has.
@Suite struct PageFileTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
    private static let all = [PageFile.playground, .docs, .status, .interface] + PageFile.parts
    private static let pages = [PageFile.playground, .docs, .status]
    private let harness = ServiceHarness()

    @Test func everyFileIsServed() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.root.path + "/Sources/Server/Pages/Files")
        #expect(Set(Self.all.map(\.path)).count == Self.all.count)
        #expect(names.count == Self.all.count)
        let parts = names.filter { !$0.hasSuffix(".html") && $0 != "openapi.yaml" }.map { PageFile.folder + $0 }
        #expect(Set(parts) == Set(PageFile.parts.map(\.path)))
    }

    @Test func theInterfaceIsThatOfThisRepository() throws {
        #expect(PageFile.interface.bytes == Array(try Data(contentsOf: Self.root.appending(path: "openapi.yaml"))))
        #expect(harness.get("/openapi.yaml").headers["Content-Type"] == "application/yaml")
    }

    /// Whatever a page or script names is there.
    @Test func whatPagesLoadIsThere() {
        let paths = Set(Self.all.map(\.path))
        for file in Self.pages + PageFile.parts where !file.path.hasSuffix(".jpg") {
            let text = String(decoding: file.bytes, as: UTF8.self)
            let linked = text.matches(of: #/(?:src|href)="(pages/[^"]+)"/#).map { "/" + $0.output.1 }
            let imported = text.matches(of: #/from '\.\/([^']+)'|[ :]url\(([^)]+)\)/#).map { PageFile.folder + ($0.output.1 ?? $0.output.2 ?? "") }
            for path in linked + imported { #expect(paths.contains(path), "\(file.path) names \(path)") }
        }
    }

    /// The policy would forbid these: the page would be broken, not dangerous.
    @Test(arguments: [PageFile.playground, .docs, .status])
    func pagesHaveNothingInline(page: PageFile) {
        let text = String(decoding: page.bytes, as: UTF8.self)
        #expect(text.matches(of: #/<script(?![^>]*\ssrc=")|<style|\sstyle="|\son\w+="/#).isEmpty)
        #expect(text.matches(of: #/(?:src|href)="(?:https?:)?\/\//#).isEmpty)
    }

    @Test(arguments: all)
    func everyFileComesWithItsPolicy(file: PageFile) {
        let answer = harness.get(file.path)
        #expect(answer.status == .ok && answer.body == file.bytes)
        #expect(answer.headers["Content-Type"] == file.contentType)
        #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
        #expect(answer.headers["Cache-Control"] == "no-cache")
        guard Self.pages.contains(file) else { return }
        let policy = answer.headers["Content-Security-Policy"] ?? ""
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; "))
        #expect(policy.hasSuffix("frame-ancestors 'none'") && !policy.contains("unsafe"))
    }

    /// Bounds what a first visit costs.
    @Test func thePlaygroundIsSmall() {
        let text = String(decoding: PageFile.playground.bytes, as: UTF8.self)
        let scripts = PageFile.parts.filter { $0.path.hasSuffix(".js") || text.contains($0.path.dropFirst()) || $0.path.contains("examples") }
        #expect(PageFile.playground.bytes.count + scripts.map(\.bytes.count).reduce(0, +) < 100_000)
    }

    /// Parts of pages do not make the metrics longer, nor what a wrong path is answered with.
    @Test func partsAreCountedTogether() {
        _ = PageFile.parts.map { harness.get($0.path) }
        let text = harness.get("/metrics").text
        #expect(text.contains("revq_http_requests_total{route=\"/pages/\",method=\"GET\",code=\"200\"} \(PageFile.parts.count)"))
        #expect(!harness.get("/x").text.contains("/pages/"))
    }
}
