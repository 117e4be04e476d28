// swift-tools-version: 6.1
import PackageDescription

// A program of its own that has the tokenizer in it. Elsewhere than in this repository, name its URL instead of the path.
let package = Package(
    name: "embedding",
    dependencies: [.package(name: "revq", path: "../..")],
    targets: [
        .executableTarget(name: "embedding", dependencies: [.product(name: "TokenizerCore", package: "revq")])
    ]
)
