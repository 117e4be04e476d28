// swift-tools-version: 6.1
import PackageDescription

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// Targets are listed bottom-up: each depends only on those above it in this file. ARCHITECTURE.md has the drawing.
let package = Package(
    name: "revq",
    products: [
        .library(name: "TokenizerCore", targets: ["TokenizerCore"]),
        .executable(name: "revq-server", targets: ["revq-server"]),
        .executable(name: "revq-train", targets: ["revq-train"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // For `make docs`; no target needs it, so nothing of it is built otherwise.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // The tokenizer: files, numbers, networks, pictures, checkpoints.
        .systemLibrary(
            name: "COpenBLAS", path: "Sources/TokenizerCore/COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"])]),
        .target(name: "CKernels", path: "Sources/TokenizerCore/CKernels"),
        .target(
            name: "CImageCodec", path: "Sources/TokenizerCore/CImageCodec",
            linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
        .target(name: "Locks", path: "Sources/TokenizerCore/Locks"),
        .target(name: "Files", dependencies: [crypto], path: "Sources/TokenizerCore/Files"),
        .target(name: "Compute", dependencies: ["Locks", "Files", "CKernels", "COpenBLAS"], path: "Sources/TokenizerCore/Compute"),
        .target(name: "Images", dependencies: ["Files", "Compute", "CImageCodec"], path: "Sources/TokenizerCore/Images"),
        .target(name: "Networks", dependencies: ["Files", "Compute"], path: "Sources/TokenizerCore/Networks"),
        .target(
            name: "TokenizerCore", dependencies: ["Locks", "Files", "Compute", "Images", "Networks"], path: "Sources/TokenizerCore/Tokenizer"),

        // The service: threads, sockets and protocol, then everything that knows what a token is.
        .target(name: "CProcess", path: "Sources/Server/CProcess"),
        .target(name: "CEvents", path: "Sources/Server/CEvents"),
        .target(name: "Threads", path: "Sources/Server/Threads"),
        .systemLibrary(
            name: "CNghttp2", path: "Sources/Server/CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .target(name: "HTTPTransport", dependencies: ["Locks", "CEvents", "CNghttp2", "Threads"], path: "Sources/Server/HTTPTransport"),
        // What a browser loads, as bytes in the program; openapi.yaml among it is a link to the one above.
        .target(name: "Pages", dependencies: ["Files"], path: "Sources/Server/Pages", resources: [.embedInCode("Files")]),
        .target(
            name: "Service",
            dependencies: ["Locks", "Files", "Compute", "Images", "TokenizerCore", "CEvents", "Threads", "HTTPTransport", "Pages", logging],
            path: "Sources/Server/Service"),
        .executableTarget(name: "revq-server", dependencies: ["CProcess", "Service", logging], path: "Sources/Server/revq-server"),

        // The trainer: processes that share work, runs, pictures, fitting, and the laboratory that measures and publishes.
        .target(name: "Ranks", dependencies: ["Locks", "Files"], path: "Sources/Training/Ranks"),
        .target(name: "Jobs", dependencies: ["Files", "Compute"], path: "Sources/Training/Jobs"),
        .target(name: "Pictures", dependencies: ["Locks", "Files", "Compute", "Images", "Jobs"], path: "Sources/Training/Pictures"),
        .target(
            name: "Tokenization", dependencies: ["Locks", "Files", "Compute", "Images", "TokenizerCore", "Jobs", "Pictures"],
            path: "Sources/Training/Tokenization"),
        .target(
            name: "Fitting",
            dependencies: ["Locks", "Files", "Compute", "CKernels", "COpenBLAS", "Images", "Networks", "TokenizerCore", "Ranks", "Jobs", "Pictures"],
            path: "Sources/Training/Fitting"),
        .target(
            name: "Laboratory", dependencies: ["Files", "Compute", "Images", "Networks", "TokenizerCore", "Jobs", "Pictures", "Fitting"],
            path: "Sources/Training/Laboratory"),
        .executableTarget(
            name: "revq-train",
            dependencies: [
                "Files", "Compute", "Networks", "TokenizerCore", "Ranks", "Jobs", "Pictures", "Tokenization", "Fitting", "Laboratory", argumentParser,
            ],
            path: "Sources/Training/revq-train"),

        // Measurements; not a product.
        .executableTarget(
            name: "revq-bench",
            dependencies: [
                "Files", "Compute", "COpenBLAS", "Images", "Networks", "TokenizerCore", "Jobs", "Pictures", "Tokenization", "Fitting", argumentParser,
            ],
            path: "Benchmarks/revq-bench"),

        // What tests share: reference values from PyTorch and diffusers, small checkpoints, scratch folders.
        .target(
            name: "TestSupport",
            dependencies: [
                "Files", "Compute", "Images", "Networks", "TokenizerCore", "Threads", "HTTPTransport", "Ranks", "Jobs", "Pictures", "Fitting",
            ],
            path: "Tests/TestSupport",
            resources: [.copy("Fixtures")]),
        // Needs nothing of this package but its text.
        .testTarget(name: "ArchitectureTests"),
        .testTarget(name: "FilesTests", dependencies: ["Files", "Compute", "TestSupport"]),
        .testTarget(name: "ComputeTests", dependencies: ["Compute", "CKernels", "Networks", "Pictures", "TestSupport"]),
        .testTarget(name: "ImagesTests", dependencies: ["Files", "Compute", "Images", "TestSupport"]),
        .testTarget(name: "NetworksTests", dependencies: ["Files", "Compute", "Networks", "TokenizerCore", "Fitting", "TestSupport"]),
        .testTarget(name: "TokenizerCoreTests", dependencies: ["Files", "Compute", "Images", "Networks", "TokenizerCore", "TestSupport"]),
        // What a user of the library sees: plain imports, and nothing of what the modules keep among themselves.
        .testTarget(name: "LibraryTests", dependencies: ["TokenizerCore"]),
        .testTarget(name: "ThreadsTests", dependencies: ["Threads", "TestSupport"]),
        .testTarget(name: "HTTPTransportTests", dependencies: ["Locks", "CNghttp2", "Threads", "HTTPTransport", "TestSupport"]),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "Locks", "Files", "Compute", "Images", "Networks", "TokenizerCore", "Threads", "HTTPTransport", "Pages", "Service", "TestSupport",
                logging,
            ]),
        .testTarget(name: "RanksTests", dependencies: ["Files", "Ranks", "TestSupport"]),
        .testTarget(name: "JobsTests", dependencies: ["Files", "Compute", "Jobs", "TestSupport"]),
        .testTarget(name: "PicturesTests", dependencies: ["Files", "Images", "Pictures", "TestSupport"]),
        // The service as well: the same bytes are the same tokens in both.
        .testTarget(
            name: "TokenizationTests",
            dependencies: [
                "Files", "Compute", "Images", "Networks", "TokenizerCore", "HTTPTransport", "Service", "Jobs", "Pictures", "Tokenization",
                "TestSupport", logging,
            ]),
        .testTarget(
            name: "FittingTests",
            dependencies: [
                "Locks", "Files", "Compute", "Images", "Networks", "TokenizerCore", "Ranks", "Jobs", "Pictures", "Fitting", "Laboratory",
                "TestSupport",
            ]),
        .testTarget(
            name: "LaboratoryTests",
            dependencies: ["Files", "Compute", "Images", "TokenizerCore", "Jobs", "Pictures", "Fitting", "Laboratory", "TestSupport"]),
        .testTarget(name: "CommandTests", dependencies: ["Files", "HTTPTransport", "Images", "Networks", "Fitting", "TestSupport"]),
        // What fuzzers do with bytes, done with all that were ever found.
        .testTarget(
            name: "FuzzingTests", dependencies: ["Files", "Compute", "Images", "Networks", "TokenizerCore", "HTTPTransport", "Service"],
            exclude: ["FuzzProgram.swift", "Corpora", "Dictionaries", "seeds.py"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)

// `make fuzz` builds the same folder as a program, which only libFuzzer's library can complete, and builds it without swift-crypto.
if Context.environment["REVQ_FUZZ"] != nil {
    let standIn = "Crypto"
    package.dependencies.removeAll { dependency in
        if case .sourceControl(_, "https://github.com/apple/swift-crypto", _) = dependency.kind { true } else { false }
    }
    package.targets.removeAll { $0.name == "FuzzingTests" }
    package.targets.first { $0.name == "Files" }?.dependencies = [.target(name: standIn)]
    package.targets.append(.target(name: standIn, path: "Tests/FuzzCrypto"))
    package.targets.append(
        .executableTarget(
            name: "revq-fuzz", dependencies: ["Files", "Compute", "Images", "Networks", "TokenizerCore", "HTTPTransport", "Service"],
            path: "Tests/FuzzingTests", exclude: ["ReplayTests.swift", "Corpora", "Dictionaries", "seeds.py"]))
}
