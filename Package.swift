// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "revq",
    products: [
        .executable(name: "revq-server", targets: ["revq-server"]),
        .executable(name: "revq-train", targets: ["revq-train"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // The tokenizer: models, kernels, images, checkpoints.
        .systemLibrary(
            name: "COpenBLAS", path: "Sources/TokenizerCore/COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"])]),
        .target(name: "CKernels", path: "Sources/TokenizerCore/CKernels"),
        .target(
            name: "CImageCodec", path: "Sources/TokenizerCore/CImageCodec",
            linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
        .target(
            name: "TokenizerCore",
            dependencies: ["COpenBLAS", "CKernels", "CImageCodec", .product(name: "Crypto", package: "swift-crypto")],
            path: "Sources/TokenizerCore/TokenizerCore"),

        // The service: sockets and protocol, then everything that knows what a token is.
        .target(name: "CEvents", path: "Sources/Server/CEvents"),
        .target(name: "HTTPTransport", dependencies: ["CEvents"], path: "Sources/Server/HTTPTransport"),
        .target(
            name: "Service",
            dependencies: ["TokenizerCore", "HTTPTransport", .product(name: "Logging", package: "swift-log")],
            path: "Sources/Server/Service"),
        .executableTarget(
            name: "revq-server",
            dependencies: [
                "Service", .product(name: "Logging", package: "swift-log"), .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Server/revq-server"),

        // The trainer.
        .target(name: "Training", dependencies: ["TokenizerCore"], path: "Sources/Training/Training"),
        .executableTarget(
            name: "revq-train",
            dependencies: ["Training", "TokenizerCore", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Sources/Training/revq-train"),

        // Measurements; not a product.
        .executableTarget(
            name: "revq-bench",
            dependencies: ["TokenizerCore", "Training", "COpenBLAS", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Benchmarks/revq-bench"),

        .testTarget(name: "TokenizerCoreTests", dependencies: ["TokenizerCore", "CKernels"], resources: [.copy("Fixtures")]),
        .testTarget(name: "HTTPTransportTests", dependencies: ["HTTPTransport"]),
        .testTarget(
            name: "ServiceTests",
            dependencies: ["Service", "HTTPTransport", "TokenizerCore", .product(name: "Logging", package: "swift-log")]),
        .testTarget(name: "TrainingTests", dependencies: ["Training", "TokenizerCore"], resources: [.copy("Fixtures")]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
