import Compute
import Jobs
import Networks
import Ranks
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

    /// - Parameters:
    ///   - latents: normalised.
    ///   - ranks: who measures together; all of them get the same.
    package init(of latents: Latents, _ quantizer: GroupQuantizer, _ rectifier: Rectifier, ranks: RankGroup = .alone) {
        self.init(of: latents.batches(of: Self.batch), count: latents.count, quantizer, rectifier, ranks)
    }

    /// The same where each rank has some of them.
    init(of latents: SharedLatents, _ quantizer: GroupQuantizer, _ rectifier: Rectifier) {
        self.init(of: latents.batches(of: Self.batch), count: latents.count, quantizer, rectifier, latents.ranks)
    }

    private init(of batches: some Sequence<Latents>, count: Int, _ quantizer: GroupQuantizer, _ rectifier: Rectifier, _ ranks: RankGroup) {
        var usage = CodeUsage(quantizer.layout)
        var (quantized, rectified, distortion) = (0.0, 0.0, 0.0)
        for z in batches {
            let assignment = Assignment(of: z, by: quantizer, ranks: ranks)
            usage.add(assignment.tokens)
            let q = quantizer.latents(ofVectors: assignment.codes)
            let error = SquaredError.mean(q.map, z.map)
            quantized += error * Double(z.count)
            // Without a transform vectors hold the latents themselves, and without a rectifier latents stay as they are.
            distortion += (quantizer.transform == nil ? error : assignment.errors().mean) * Double(z.count)
            let isRectified = rectifier.configuration.network != .identity
            rectified += (isRectified ? SquaredError.mean(rectifier(q.map), z.map) : error) * Double(z.count)
        }
        quantizedMSE = quantized / Double(count)
        rectifiedMSE = rectified / Double(count)
        self.distortion = distortion / Double(count)
        codebookUse = usage.usedShare
        perplexity = usage.perplexity
    }

    /// Warnings, when these held-out figures and those on the training latents show that something went wrong.
    /// - Parameter errors: the same picture by picture, where that is known.
    func alarms(training: LatentQuality, errors: LatentErrors? = nil) -> [String] {
        var alarms: [String] = []
        if training.codebookUse < 0.7 {
            alarms.append(
                "warning: only \(Int((training.codebookUse * 100).rounded())) % of the codes are used: too few latents per code, or a poor start")
        }
        // Rounding apart.
        if rectifiedMSE > quantizedMSE * (1 + 1e-6) {
            alarms.append(
                "warning: the rectifier makes held-out latents worse, their error rises from \(Figure.text(quantizedMSE)) to \(Figure.text(rectifiedMSE)): "
                    + "too few images or steps for it, or too high a rate; without one the codes do better")
        }
        if let alarm = errors?.suspicion(training: training) { alarms.append(alarm) }
        let excess = distortion / training.distortion - 1
        if !excess.isFinite || excess > 100 {
            alarms.append("warning: the codes have learned the training latents by heart: there are too few latents per code")
        } else if excess > 0.1 {
            alarms.append("warning: the held-out error is \(Int((excess * 100).rounded())) % above the training error: too few latents per code")
        }
        return alarms
    }
}

/// Warnings while a fit runs, each once, when an epoch's figures show that something goes wrong.
struct EpochAlarms {
    private var hasWarnedOfUse = false
    private var hasWarnedOfGap = false
    private static let (leastUse, largestGap) = (0.7, 0.1)

    /// - Parameter values: what the step that ended an epoch logged; other steps' give no warnings.
    mutating func warnings(_ values: [String: Double]) -> [String] {
        guard let use = values["codebook_use"], let trained = values["epoch_distortion"], let heldOut = values["held_out_distortion"] else {
            return []
        }
        var warnings: [String] = []
        if use < Self.leastUse && !hasWarnedOfUse {
            hasWarnedOfUse = true
            warnings.append(
                "warning: this epoch used only \(Int((use * 100).rounded())) % of the codes: too few latents per code, a poor start, or a reset that fails"
            )
        }
        let gap = heldOut / trained - 1
        if gap > Self.largestGap && !hasWarnedOfGap {
            hasWarnedOfGap = true
            warnings.append("warning: the held-out error is \(Int((min(gap, 1e6) * 100).rounded())) % above this epoch's: too few latents per code")
        }
        return warnings
    }
}
