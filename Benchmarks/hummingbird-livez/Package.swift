// swift-tools-version:6.2
// Hummingbird with one route, for `python -m revq_bench.load livez`: a package of its own, so that the server does not depend on it.
import PackageDescription

let package = Package(
    name: "hummingbird-livez",
    dependencies: [.package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1")],
    targets: [.executableTarget(name: "hummingbird-livez", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])]
)
