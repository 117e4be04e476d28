import Glibc

/// One thing that can be set, by a flag or by the environment variable of the same name. The raw value is the flag without dashes.
package enum Setting: String, CaseIterable, Sendable {
    case checkpoints
    case host
    case port
    case threads
    case maxBatch = "max-batch"
    case maxDelayMilliseconds = "max-delay-ms"
    case maxQueue = "max-queue"
    case precision

    package var flag: String { "--\(rawValue)" }

    /// Such as `REVQ_MAX_BATCH`.
    package var variable: String {
        Self.prefix + rawValue.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    /// What it means, for the help text.
    package var help: String {
        switch self {
        case .checkpoints: "Folder of checkpoints, laid out as MODEL/VERSION/manifest.json."
        case .host: "Address or host name to listen on; :: for all of them."
        case .port: "Port to listen on; 0 for any that is free."
        case .threads: "Threads that compute."
        case .maxBatch: "Most images in one batch."
        case .maxDelayMilliseconds: "Longest time the first image of a batch waits for others, in milliseconds."
        case .maxQueue: "Most requests in progress; more are answered 429."
        case .precision: "Precision of the large products: fp32, or where the processor has AMX-BF16 or AVX512-BF16 also bf16."
        }
    }

    /// The value where neither flag nor variable is given.
    package var standard: String {
        switch self {
        case .checkpoints: "checkpoints"
        case .host: "127.0.0.1"
        case .port: "8080"
        case .threads: "\(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))"
        case .maxBatch: "8"
        case .maxDelayMilliseconds: "2"
        case .maxQueue: "64"
        case .precision: "fp32"
        }
    }

    static let prefix = "REVQ_"
}

/// Where a value came from. A flag wins over the environment, the environment over the default.
package enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
    case flag
    case environment
    case standard

    package var description: String {
        switch self {
        case .flag: "flag"
        case .environment: "environment"
        case .standard: "default"
        }
    }
}
