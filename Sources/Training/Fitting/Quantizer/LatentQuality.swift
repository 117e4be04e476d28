import Compute
import Jobs
import Networks
import TokenizerCore

/// How well latents survive quantisation, measured on latents that were not trained on.
package struct LatentQuality: Codable, Equatable, Sendable {
    /// Mean squared error of the normalised latents after the quantiser, and after the rectifier.
    package let quantizedMSE: Double
    package let rectifiedMSE: Double
    /// What the quantiser makes small: the mean weighted squared error, ``quantizedMSE`` where all elements weigh alike.
    package let distortion: Double
    /// Share of all codes that were chosen at all.
    package let codebookUse: Double
    /// 2 to the entropy of a codebook's use, averaged over codebooks.
    package let perplexity: Double

    private static let batch = 64

    /// - Parameter latents: normalised, `[n, C·H·W]`.
    package init(of latents: Tensor, _ quantizer: GroupQuantizer, _ rectifier: Rectifier, shape: LatentShape) {
        var usage = CodeUsage(quantizer.layout)
        var (quantized, rectified, distortion) = (0.0, 0.0, 0.0)
        for start in stride(from: 0, to: latents.n, by: Self.batch) {
            let z = latents.images(start..<min(start + Self.batch, latents.n))
            let runs = quantizer.runs(z)
            let tokens = quantizer.tokens(ofRuns: runs)
            usage.add(tokens)
            let codes = quantizer.codes(tokens)
            let q = quantizer.latents(ofRuns: codes)
            let error = SquaredError.mean(q, z)
            quantized += error * Double(z.n)
            // Without a transform runs are latents, and without a rectifier latents stay as they are.
            distortion += (quantizer.transform == nil ? error : quantizer.distortion(codes, runs).value) * Double(z.n)
            let isRectified = rectifier.configuration.network != .identity
            rectified += (isRectified ? SquaredError.mean(rectifier(shape.featureMap(q)), shape.featureMap(z)) : error) * Double(z.n)
        }
        quantizedMSE = quantized / Double(latents.n)
        rectifiedMSE = rectified / Double(latents.n)
        self.distortion = distortion / Double(latents.n)
        codebookUse = usage.usedShare
        perplexity = usage.perplexity
    }

    /// Warnings, when these held-out figures and those on the training latents show that something went wrong.
    func alarms(training: LatentQuality) -> [String] {
        var alarms: [String] = []
        if training.codebookUse < 0.7 {
            alarms.append("warning: only \(Int((training.codebookUse * 100).rounded())) % of the codes are used: too few latents per code, or a poor start")
        }
        // Rounding apart.
        if rectifiedMSE > quantizedMSE * (1 + 1e-6) {
            alarms.append(
                "warning: the rectifier makes held-out latents worse, their error rises from \(Figure.text(quantizedMSE)) to \(Figure.text(rectifiedMSE)): "
                    + "too few images or steps for it, or too high a rate; without one the codes do better")
        }
        let excess = distortion / training.distortion - 1
        if !excess.isFinite || excess > 100 {
            alarms.append("warning: the codes have learned the training latents by heart: there are too few latents per code")
        } else if excess > 0.1 {
            alarms.append("warning: the held-out error is \(Int((excess * 100).rounded())) % above the training error: too few latents per code")
        }
        return alarms
    }
}
