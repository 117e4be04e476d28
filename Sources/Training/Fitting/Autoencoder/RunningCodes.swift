import Compute
import Ranks
import TokenizerCore

/// How latents and codes come together where an encoder is trained through tokens.
package struct StraightThrough: Codable, Equatable, Sendable {
    /// What the mean squared difference between latents and what their tokens stand for is multiplied by in the loss.
    package var commitment: Double
    /// Codes follow the vectors of about 1 / (1 − this) steps.
    package var averaging: Float

    /// On photographs a commitment of 0.02 let the latents run away from their codes.
    package static let usual = StraightThrough(commitment: 0.3, averaging: 0.999)

    package init(commitment: Double, averaging: Float) {
        (self.commitment, self.averaging) = (commitment, averaging)
    }

    /// What is impossible about the numbers, if anything, named as options of `vae`.
    var problem: String? {
        if !(commitment >= 0 && commitment.isFinite) { return "--commitment is a number that is not below 0, not \(commitment)" }
        return (0..<1).contains(averaging) ? nil : "--code-averaging is in 0..<1, not \(averaging)"
    }
}

/// Codes that follow their vectors while an encoder is trained: Lloyd's algorithm, running.
///
/// Each code is the mean of the vectors that it was nearest to, weighted as they weigh in the distortion, and less the longer ago that was. They
/// begin as if every code had met its even share where it is. One that meets less than a hundredth of that is put where a vector of the step is.
///
/// Source: VQ-VAE (arXiv 1711.00937), appendix A.1; the reset is that of Jukebox (arXiv 2005.00341), 3.1.
struct RunningCodes: Sendable {
    /// For each code the number of its vectors, their weight, and d weighted sums: `[codebooks, N, d + 2]`, of single precision, so that a saved
    /// state holds it exactly. Nil before the first step.
    private(set) var totals: Tensor?
    private let averaging: Float
    private let root: RandomSource

    /// Of an even share: what is met less often is as good as dead.
    private static let leastShare: Float = 0.01

    init(averaging: Float, seed: UInt64, totals: Tensor? = nil) {
        (self.averaging, self.totals) = (averaging, totals)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "code resets"))
    }

    /// Takes a step's vectors into account.
    /// - Parameters:
    ///   - vectors: `[n, G·d]`, all of them on every rank.
    ///   - quantizer: by which they became tokens.
    ///   - step: its number, for the randomness of resets.
    /// - Returns: the codes as they are now, and how many of them were put elsewhere.
    mutating func follow(_ vectors: Tensor, of quantizer: GroupQuantizer, step: Int, ranks: RankGroup) -> (codebooks: Tensor, resets: Int) {
        let cells = LloydCells(of: SharedRows(of: vectors, ranks), quantizer) { false }!
        let (layout, keep) = (quantizer.layout, averaging)
        let (d, even) = (layout.dimension, evenShare(of: vectors.n, quantizer))
        var (totals, codebooks) = (totals ?? Self.start(quantizer, even), quantizer.codebooks)
        totals.withMutablePointer { totals in
            codebooks.withMutablePointer { codes in
                for cell in 0..<layout.codebooks * layout.codes {
                    let (record, new) = (totals + cell * (d + 2), cells[cell])
                    for (i, value) in new.enumerated() { record[i] = keep * record[i] + Float(value) }
                    guard record[1] > 0 else { continue }
                    for j in 0..<d { codes[cell * d + j] = record[2 + j] / record[1] }
                }
            }
        }
        let left = quantizer.remainders(of: vectors, along: quantizer.tokens(ofVectors: vectors, sharedBy: ranks))
        let resets = reset(&totals, &codebooks, left, quantizer, even, root.substream(UInt64(step)))
        self.totals = totals
        return (codebooks, resets)
    }

    /// Vectors that each code would have met, were all equally common and every step like this one.
    private func evenShare(of images: Int, _ quantizer: GroupQuantizer) -> Float {
        let layout = quantizer.layout
        return Float(images * layout.tokens / layout.codebooks) / Float(layout.codes) / (1 - averaging)
    }

    private static func start(_ quantizer: GroupQuantizer, _ even: Float) -> Tensor {
        let (layout, importance, codes) = (quantizer.layout, quantizer.importance, quantizer.codebooks.values)
        let (d, perCodebook) = (layout.dimension, layout.tokens / layout.codebooks)
        let records = (0..<layout.codebooks * layout.codes).flatMap { cell -> [Float] in
            let first = cell / layout.codes * perCodebook
            let weight = even * (importance.map { $0[first..<first + perCodebook].reduce(0, +) / Float(perCodebook) } ?? 1)
            return [even, weight] + codes[cell * d..<(cell + 1) * d].map { $0 * weight }
        }
        return Tensor(records, shape: [layout.codebooks, layout.codes, d + 2])
    }

    /// - Returns: how many codes were put where a vector is.
    private func reset(
        _ totals: inout Tensor, _ codebooks: inout Tensor, _ vectors: Tensor, _ quantizer: GroupQuantizer, _ even: Float, _ random: RandomSource
    ) -> Int {
        let (layout, importance) = (quantizer.layout, quantizer.importance)
        let (d, perCodebook) = (layout.dimension, layout.tokens / layout.codebooks)
        var (random, resets) = (random, 0)
        let images = vectors.n
        vectors.withPointer { vectors in
            totals.withMutablePointer { totals in
                codebooks.withMutablePointer { codes in
                    for cell in 0..<layout.codebooks * layout.codes where totals[cell * (d + 2)] < Self.leastShare * even {
                        let token = cell / layout.codes * perCodebook + random.below(perCodebook)
                        let vector = vectors + (random.below(images) * layout.tokens + token) * d
                        let (record, weight) = (totals + cell * (d + 2), even * (importance?[token] ?? 1))
                        (record[0], record[1]) = (even, weight)
                        for j in 0..<d { (codes[cell * d + j], record[2 + j]) = (vector[j], vector[j] * weight) }
                        resets += 1
                    }
                }
            }
        }
        return resets
    }
}
