import Glibc

/// How the learning rate moves over a run, as a factor of its peak.
package struct Schedule: Codable, Equatable, Sendable {
    package enum Decay: String, Codable, Sendable, CaseIterable {
        case constant
        /// The same factor from epoch to epoch, to a twentieth at the end; the paper's.
        case exponential
        /// Half a cosine, step by step, to zero at the end.
        case cosine
    }

    package var decay: Decay
    /// Steps in which the rate rises linearly from zero first; a cosine falls over the steps that are left.
    package var warmup: Int

    private static let finalShare = 0.05

    /// What is said of a run that is extended, by whether its rate was that of a longer one.
    static let remarkOnEquality = "the result will be that of a run that was as long from the start"
    static let remarkOnDecay =
        "the learning rate fell towards the earlier end, so that a run that was as long from the start gives something else; --schedule constant does not"

    package init(_ decay: Decay, warmup: Int = 0) {
        (self.decay, self.warmup) = (decay, warmup)
    }

    /// What is impossible about the numbers, if anything, named as options of a command.
    var problem: String? { (0...1 << 30).contains(warmup) ? nil : "--warmup is in 0...\(1 << 30), not \(warmup)" }

    /// - Parameters:
    ///   - step: 0 ..< `steps`.
    ///   - stepsPerEpoch: a divisor of `steps`.
    func factor(step: Int, stepsPerEpoch: Int = 1, steps: Int) -> Float {
        let rise = step < warmup ? Double(step + 1) / Double(warmup) : 1
        switch decay {
        case .constant: return Float(rise)
        case .exponential: return Float(rise * pow(Self.finalShare, Double(step / stepsPerEpoch) / Double(max(1, steps / stepsPerEpoch))))
        case .cosine:
            let progress = Double(step - warmup) / Double(max(1, steps - warmup))
            return Float(rise * 0.5 * (1 + cos(.pi * min(1, max(0, progress)))))
        }
    }
}
