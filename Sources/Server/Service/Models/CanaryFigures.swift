/// What a trial has shown so far.
struct CanaryFigures: Sendable, Equatable {
    /// When a trial ends, and how.
    struct Policy: Sendable, Equatable {
        /// Of the pictures that clients send, how many are compared, in percent; 0 for no trials.
        var share = 0
        /// So many without being found worse make a canary the stable version.
        var pictures = 200
        /// The pictures that it draws may be so much further from the originals, in dB on average.
        var mostLoss = 0.5
    }

    enum Verdict: Sendable, Equatable {
        case undecided, promoted, rolledBack
    }

    /// So few say nothing.
    private static let fewest = 16
    /// Of the mean, in its own standard errors. One look takes one in forty canaries that are just good enough for worse, and as many looks as there
    /// are pictures more of them: what is at the bound is not worth keeping.
    private static let doubt = 2.0

    private(set) var pictures = 0
    /// Times that it failed where the stable version did not.
    private(set) var failures = 0
    private var (agreement, agreements) = (0.0, 0)
    private var (sum, squares) = (0.0, 0.0)

    mutating func add(_ comparison: VersionComparison) {
        pictures += 1
        if let share = comparison.agreement { (agreement, agreements) = (agreement + share, agreements + 1) }
        let difference = comparison.canaryPSNR - comparison.stablePSNR
        (sum, squares) = (sum + difference, squares + difference * difference)
    }

    mutating func addFailure() { failures += 1 }

    /// The mean share of equal tokens; nil before there is one.
    var meanAgreement: Double? { agreements == 0 ? nil : agreement / Double(agreements) }

    /// The canary's mean PSNR less the stable version's, in dB; nil before there is one.
    var psnrDifference: Double? { pictures == 0 ? nil : sum / Double(pictures) }

    /// Of ``psnrDifference``.
    private var standardError: Double {
        let (n, mean) = (Double(pictures), sum / Double(pictures))
        return (max(0, squares / n - mean * mean) / (n - 1)).squareRoot()
    }

    /// One that fails, or is surely worse than it may be, goes at once; one that is not by the last picture stays.
    func verdict(_ policy: Policy) -> Verdict {
        if failures > 0 { return .rolledBack }
        guard let difference = psnrDifference, pictures >= min(Self.fewest, policy.pictures) else { return .undecided }
        if pictures >= policy.pictures { return difference < -policy.mostLoss ? .rolledBack : .promoted }
        return difference + Self.doubt * standardError < -policy.mostLoss ? .rolledBack : .undecided
    }

    /// In one line.
    var summary: String {
        if failures > 0 { return "it fails where the stable version does not, or takes pictures of another size" }
        let difference = psnrDifference.map { "\(($0 * 100).rounded() / 100) dB" } ?? "nothing"
        return "\(pictures) pictures compared, \(difference) to the stable version"
    }
}
