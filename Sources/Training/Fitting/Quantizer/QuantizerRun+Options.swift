import Networks

extension QuantizerRun {
    /// How the codebooks are found.
    package enum Method: String, Codable, Sendable, CaseIterable {
        /// The paper's: gradient steps together with the rectifier's.
        case adam
        /// Lloyd's algorithm; then gradient steps for the rectifier alone.
        case lloyd
    }

    package struct Options: Codable, Equatable, Sendable {
        /// A folder that `revq-train extract` filled.
        package var latents: String
        /// The autoencoder's folder: what a weighted distortion is measured through; with it pictures are measured too.
        package var vae: String?
        package var method: Method
        package var quantizer: QuantizerOptions
        /// Passes of Lloyd's algorithm over the latents, for each stage.
        package var passes: Int
        /// Epochs of gradient steps.
        package var epochs: Int
        package var batch: Int
        package var learningRate: Float
        package var gradient: GradientOptions
        package var reset: CodebookReset
        package var rectifier: RectifierConfiguration
        package var seed: UInt64

        /// This program's own way: Lloyd's algorithm, one codebook for all tokens, no rectifier.
        package init(
            latents: String, vae: String? = nil, method: Method = .lloyd,
            quantizer: QuantizerOptions = QuantizerOptions(tokens: 512, codes: 16_384, sharing: .one), passes: Int = 20, epochs: Int = 100,
            batch: Int = 256, learningRate: Float = 0.01, gradient: GradientOptions = .published, reset: CodebookReset = .distortion,
            rectifier: RectifierConfiguration = .none, seed: UInt64 = 0
        ) {
            (self.latents, self.vae, self.method, self.quantizer) = (latents, vae, method, quantizer)
            (self.passes, self.epochs, self.batch, self.learningRate, self.gradient) = (passes, epochs, batch, learningRate, gradient)
            (self.reset, self.rectifier, self.seed) = (reset, rectifier, seed)
        }

        /// Finds the codebooks by another method, with the passes and the reset that go with it.
        package mutating func change(method: Method) {
            guard method != self.method else { return }
            let usual = Options(latents: latents)
            self.method = method
            (passes, reset) = method == .lloyd ? (usual.passes, usual.reset) : (passes, .code)
        }
    }
}

extension QuantizerRun.Options {
    /// Over the latents: more is a slip of the finger, and would not be counted in steps.
    private static let mostPasses = 1_000_000

    /// What is impossible about the numbers whatever the latents are, if anything, named as options of `fit`.
    var problem: String? {
        let limits = [
            ("passes", passes, 0...Self.mostPasses), ("epochs", epochs, 0...Self.mostPasses),
            ("batch", batch, 1...QuantizerTrainer.mostBatchImages),
        ]
        for (name, value, range) in limits where !range.contains(value) { return "--\(name) is in \(range), not \(value)" }
        if let problem = gradient.problem(batch: batch, movesCodes: method == .adam, hasAutoencoder: vae != nil, rectifier: rectifier) {
            return problem
        }
        return (0...1).contains(learningRate) ? nil : "--learning-rate is in 0...1, not \(learningRate)"
    }
}

/// The paper's settings, each as explicit options. Source: ReVQ (arXiv 2507.10547) and its published code.
package enum FitPreset: String, CaseIterable, Sendable {
    case tokens512 = "512T"
    case tokens256Base = "256T-B"
    case tokens256Large = "256T-L"

    /// - Parameter latents: a folder that `revq-train extract` filled.
    package func options(latents: String) -> QuantizerRun.Options {
        let (tokens, codes, width, depth, batch) =
            switch self {
            case .tokens512: (512, 16_384, 512, 3, 256)
            case .tokens256Base: (256, 65_536, 1024, 4, 256)
            case .tokens256Large: (256, 262_144, 512, 4, 128)
            }
        return QuantizerRun.Options(
            latents: latents, method: .adam, quantizer: QuantizerOptions(tokens: tokens, codes: codes), passes: 0, epochs: 100, batch: batch,
            learningRate: 0.01, reset: .code,
            rectifier: RectifierConfiguration(.vit(width: width, depth: depth, headDimension: 32, scales: [5]), isResidual: false))
    }
}
