import Networks

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
