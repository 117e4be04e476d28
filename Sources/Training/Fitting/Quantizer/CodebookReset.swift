import Compute
import TokenizerCore

/// What happens at the end of an epoch, or of a pass of Lloyd's algorithm, to codes that nothing was near to.
package enum CodebookReset: String, Codable, Sendable, CaseIterable {
    case none
    /// Every dead code (count 0) becomes the code at the mirrored rank of use, plus noise. Source: ReVQ (arXiv 2507.10547), section 3.
    case paper
    /// The r least used become the r most used plus noise, with r the dead codes but at most a fifth. Source: ReVQ's published code.
    case code
    /// Every dead code takes half of a cell that contributes most to the distortion.
    case distortion

    /// Standard deviation of the noise, in normalised latent units.
    private static let noise: Float = 0.1

    /// - Parameters:
    ///   - usage: counts of the epoch, and for ``distortion`` the errors too.
    ///   - random: where the noise comes from.
    func apply(to quantizer: inout GroupQuantizer, usage: CodeUsage, random: RandomSource) {
        guard self != .none else { return }
        let (layout, importance) = (quantizer.layout, quantizer.importance)
        quantizer.codebooks.withMutablePointer { codebooks in
            Workers.forEach(layout.codebooks) { codebook in
                var random = random.substream(UInt64(codebook))
                let base = codebooks + codebook * layout.codes * layout.dimension
                if self == .distortion {
                    split(base, layout, usage, codebook, importance, &random)
                } else {
                    mirror(base, layout, Array(usage.counts(ofCodebook: codebook)), &random)
                }
            }
        }
    }

    private func mirror(_ base: UnsafeMutablePointer<Float>, _ layout: GroupQuantizer.Layout, _ counts: [Int], _ random: inout RandomSource) {
        // Most used first; ties by index, so that the order is fixed.
        let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
        let dead = counts.count { $0 == 0 }
        let count = self == .paper ? min(dead, counts.count - dead) : min(dead, layout.codes / 5)
        for rank in 0..<count {
            let source = base + order[rank] * layout.dimension
            let target = base + order[counts.count - 1 - rank] * layout.dimension
            for j in 0..<layout.dimension { target[j] = source[j] + Self.noise * random.normal() }
        }
    }

    /// The two halves of a cell move apart in a random direction by its deviation.
    private func split(
        _ base: UnsafeMutablePointer<Float>, _ layout: GroupQuantizer.Layout, _ usage: CodeUsage, _ codebook: Int, _ importance: [Float]?,
        _ random: inout RandomSource
    ) {
        let (own, d, perCodebook) = (usage.range(ofCodebook: codebook), layout.dimension, layout.tokens / layout.codebooks)
        let (counts, errors) = (usage.counts[own], usage.errors[own])
        let dead = own.filter { counts[$0] == 0 }
        guard !dead.isEmpty else { return }
        // How much a squared difference counts in this codebook, on average.
        let weight = importance.map { $0[codebook * perCodebook..<(codebook + 1) * perCodebook].reduce(0, +) / Float(perCodebook) } ?? 1
        let worst = own.filter { counts[$0] > 1 }.sorted { (errors[$1], $0) < (errors[$0], $1) }
        for (target, source) in zip(dead, worst) {
            let deviation = (errors[source] / (Float(counts[source] * d) * weight)).squareRoot()
            let (target, source) = (base + (target - own.lowerBound) * d, base + (source - own.lowerBound) * d)
            for j in 0..<d {
                let step = 0.5 * deviation * random.normal()
                target[j] = source[j] + step
                source[j] -= step
            }
        }
    }
}
