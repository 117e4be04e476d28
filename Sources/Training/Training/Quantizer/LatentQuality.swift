import TokenizerCore

/// How well latents survive quantisation, measured on latents that were not trained on.
public struct LatentQuality: Codable, Equatable, Sendable {
    /// Mean squared error of the normalised latents after the quantiser, and after the rectifier.
    public let quantizedMSE: Double
    public let rectifiedMSE: Double
    /// Share of all codes that were chosen at all.
    public let codebookUse: Double
    /// 2 to the entropy of a codebook's use, averaged over codebooks.
    public let perplexity: Double

    private static let batch = 64

    /// - Parameter latents: normalised, `[n, C·H·W]`.
    init(of latents: Tensor, _ quantizer: GroupQuantizer, _ rectifier: Rectifier, shape: LatentShape) {
        var usage = CodeUsage(quantizer.layout)
        var (quantized, rectified) = (0.0, 0.0)
        for start in stride(from: 0, to: latents.n, by: Self.batch) {
            let z = latents.images(start..<min(start + Self.batch, latents.n))
            let tokens = quantizer.tokens(z)
            usage.add(tokens)
            let q = quantizer.latents(tokens)
            quantized += SquaredError.loss(q, z).value * Double(z.n)
            rectified += SquaredError.loss(rectifier(shape.featureMap(q)), shape.featureMap(z)).value * Double(z.n)
        }
        quantizedMSE = quantized / Double(latents.n)
        rectifiedMSE = rectified / Double(latents.n)
        codebookUse = usage.usedShare
        perplexity = usage.perplexity
    }

    /// Warnings, when these held-out figures and those on the training latents show that something went wrong.
    func alarms(training: LatentQuality) -> [String] {
        var alarms: [String] = []
        if training.codebookUse < 0.7 {
            alarms.append("warning: only \(Int(training.codebookUse * 100)) % of the codes are used: too few latents per code, or a poor start")
        }
        let excess = quantizedMSE / training.quantizedMSE - 1
        if !excess.isFinite || excess > 100 {
            alarms.append("warning: the codes have learned the training latents by heart: there are too few latents per code")
        } else if excess > 0.1 {
            alarms.append("warning: the held-out error is \(Int(excess * 100)) % above the training error: too few latents per code")
        }
        return alarms
    }
}
