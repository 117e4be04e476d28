import TokenizerCore

/// What happens at the end of an epoch to codes that nothing was near to.
public enum CodebookReset: String, Codable, Sendable, CaseIterable {
    case none
    /// Every dead code (count 0) becomes the code at the mirrored rank of use, plus noise. Source: ReVQ (arXiv 2507.10547), section 3.
    case paper
    /// The r least used become the r most used plus noise, with r the dead codes but at most a fifth. Source: ReVQ's published code.
    case code

    /// Standard deviation of the noise, in normalised latent units.
    private static let noise: Float = 0.1

    /// - Parameters:
    ///   - usage: counts of the epoch.
    ///   - random: where the noise comes from.
    func apply(to quantizer: inout GroupQuantizer, usage: CodeUsage, random: RandomSource) {
        guard self != .none else { return }
        let layout = quantizer.layout
        for codebook in 0..<layout.codebooks {
            let counts = Array(usage.counts(ofCodebook: codebook))
            // Most used first; ties by index, so that the order is fixed.
            let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
            let dead = counts.count { $0 == 0 }
            let count = self == .paper ? min(dead, counts.count - dead) : min(dead, layout.codes / 5)
            var random = random.substream(UInt64(codebook))
            quantizer.codebooks.withMutablePointer { codebooks in
                let base = codebooks + codebook * layout.codes * layout.dimension
                for rank in 0..<count {
                    let source = base + order[rank] * layout.dimension
                    let target = base + order[counts.count - 1 - rank] * layout.dimension
                    for j in 0..<layout.dimension { target[j] = source[j] + Self.noise * random.normal() }
                }
            }
        }
    }
}
