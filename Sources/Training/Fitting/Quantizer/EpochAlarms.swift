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
            warnings.append("warning: this epoch used only \(Int((use * 100).rounded())) % of the codes: too few latents per code, a poor start, or a reset that fails")
        }
        let gap = heldOut / trained - 1
        if gap > Self.largestGap && !hasWarnedOfGap {
            hasWarnedOfGap = true
            warnings.append("warning: the held-out error is \(Int((min(gap, 1e6) * 100).rounded())) % above this epoch's: too few latents per code")
        }
        return warnings
    }
}
