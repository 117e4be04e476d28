import Foundation
import Testing

/// Arrows between modules point down, as ARCHITECTURE.md says.
@Suite struct ArchitectureTests {
    @Test func everyArrowPointsDown() throws {
        let tree = try PackageTree(root: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL)
        #expect(tree.targets.count > 20, "Package.swift is not understood")
        #expect(tree.files.count > 100, "the sources are not found")
        #expect(tree.violations == [])
    }

    private static let manifest = """
        let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
            targets: [
                .target(name: "Files", dependencies: [crypto], path: "Sources/TokenizerCore/Files"),  // no "Networks"
                .target(name: "Compute", dependencies: ["Files"], path: "Sources/TokenizerCore/Compute"),
                .target(name: "Threads", path: "Sources/Server/Threads"),
                .target(name: "HTTPTransport", path: "Sources/Server/HTTPTransport"),
                .target(name: "Service", dependencies: ["Compute", "HTTPTransport"], path: "Sources/Server/Service"),
                .target(name: "Between", dependencies: ["Service"], path: "Benchmarks/Between"),
                .target(name: "Jobs", dependencies: ["Files"], path: "Sources/Training/Jobs"),
                .testTarget(name: "JobsTests", dependencies: ["Jobs"]),
            ]
        """

    @Test func soundTreeHasNoViolations() {
        let files = [
            "Sources/TokenizerCore/Files/A.swift": "import Crypto\nimport Foundation\n", "Tests/JobsTests/B.swift": "@testable import Jobs\n",
        ]
        #expect(PackageTree(manifest: Self.manifest, files: files).violations == [])
    }

    @Test(arguments: [
        ("dependencies: [crypto]", #"dependencies: [crypto, "Compute"]"#, "Files -> Compute points up"),
        (
            #"dependencies: ["Files"], path: "Sources/Training"#, #"dependencies: ["Service"], path: "Sources/Training"#,
            "Jobs -> Service is forbidden"
        ),
        (
            #"dependencies: ["Files"], path: "Sources/Training"#, #"dependencies: ["Between"], path: "Sources/Training"#,
            "Jobs -> Service is forbidden"
        ),
        (#"name: "Threads", "#, #"name: "Threads", dependencies: ["Files"], "#, "Threads -> Files is forbidden"),
    ])
    func findsAnArrowThatPointsUpOrIsForbidden(old: String, new: String, complaint: String) {
        let changed = Self.manifest.replacing(old, with: new)
        #expect(changed != Self.manifest)
        #expect(PackageTree(manifest: changed, files: [:]).violations.contains(complaint))
    }

    @Test(arguments: ["import Networks", "@testable import Networks", "package import Networks", "@preconcurrency import struct Networks.Layer"])
    func findsAnImportThatIsNotDeclared(line: String) {
        let tree = PackageTree(manifest: Self.manifest, files: ["Sources/TokenizerCore/Compute/A.swift": "import Files\n\(line)\n"])
        #expect(tree.violations == ["Sources/TokenizerCore/Compute/A.swift imports Networks, which Compute does not declare"])
    }

    @Test func findsASocketInTheTokenizer() {
        let tree = PackageTree(manifest: Self.manifest, files: ["Sources/TokenizerCore/Compute/A.swift": "let family = AF_INET6\n"])
        #expect(tree.violations == ["Sources/TokenizerCore/Compute/A.swift says AF_INET6"])
    }
}
