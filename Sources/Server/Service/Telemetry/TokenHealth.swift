import Synchronization
import TokenizerCore

/// Whether the tokens that a model makes are still like those it made when it was published.
///
/// Pictures of another kind than a quantiser was fitted to use fewer of its codes, long before anybody looks at what is decoded from them.
/// Codes are counted over as many pictures as the checkpoint's own figures are from, so that the two can be compared; then counting begins
/// again.
final class TokenHealth: Sendable {
    /// What a checkpoint says of the use of its codes.
    struct Reference: Sendable, Equatable {
        let layout: GroupQuantizer.Layout
        /// Pictures that the figures are from.
        let images: Int
        let figures: Figures
    }

    /// How the codes were used, averaged over codebooks.
    struct Figures: Sendable, Equatable {
        /// The share of codes chosen at least once.
        let use: Double
        /// 2 to the entropy of the choice.
        let perplexity: Double

        /// How far the perplexity is from the reference's, in bits of a token's entropy.
        func drift(from reference: Figures) -> Double {
            abs(CodeCounts.bits(perplexity) - CodeCounts.bits(reference.perplexity))
        }
    }

    private struct Window {
        var counts: CodeCounts
        var images = 0
        /// Of the window before.
        var figures: Figures?
    }

    private let windows = Mutex<[String: Window]>([:])

    /// Counts the tokens of one or more images.
    func add(_ tokens: Tokens, of facts: ModelFacts) {
        guard let reference = facts.reference else { return }
        windows.withLock { windows in
            var window = windows[facts.fingerprint] ?? Window(counts: CodeCounts(reference.layout))
            windows[facts.fingerprint] = nil
            window.counts.add(tokens)
            window.images += tokens.count
            if window.images >= reference.images {
                let figures = Figures(use: window.counts.usedShare, perplexity: window.counts.perplexity)
                window = Window(counts: CodeCounts(reference.layout), figures: figures)
            }
            windows[facts.fingerprint] = window
        }
    }

    /// The figures of the last whole window; nil before there is one.
    func figures(of facts: ModelFacts) -> Figures? {
        windows.withLock { $0[facts.fingerprint]?.figures }
    }

    /// Forgets models that are not resident any more.
    func keep(_ resident: [ModelFacts]) {
        let fingerprints = Set(resident.map(\.fingerprint))
        windows.withLock { windows in windows = windows.filter { fingerprints.contains($0.key) } }
    }
}
