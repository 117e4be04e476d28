/// What strangers' bytes reach first: each case takes any bytes, never traps, and holds what its reader promises.
///
/// `make fuzz` looks for bytes that break this, under libFuzzer and AddressSanitizer; ``ReplayTests`` tries all that were ever found.
enum FuzzTarget: String, CaseIterable {
    case http1, http2, png, jpeg, json, numpy, packed, multipart, inference, safetensors, manifest, autoencoder

    func run(_ bytes: [UInt8]) {
        switch self {
        case .http1: Self.runHTTP1(bytes)
        case .http2: Self.runHTTP2(bytes)
        case .png: Self.runPNG(bytes)
        case .jpeg: Self.runImage(bytes)
        case .json: Self.runJSON(bytes)
        case .numpy: Self.runNumPy(bytes)
        case .packed: Self.runPacked(bytes)
        case .multipart: Self.runMultipart(bytes)
        case .inference: Self.runInference(bytes)
        case .safetensors: Self.runSafetensors(bytes)
        case .manifest: Self.runManifest(bytes)
        case .autoencoder: Self.runAutoencoder(bytes)
        }
    }
}
