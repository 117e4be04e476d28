import Locks
import TokenizerCore

/// Whether the tokens that a model makes are still like those it made when it was published.
///
/// Pictures of another kind than a quantiser was fitted to use fewer of its codes, long before anybody looks at what is decoded from them.
/// Codes are counted over as many pictures as the checkpoint's own figures are from, so that the two can be compared; then counting begins
/// again. It belongs to one version, and goes with it.
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
    }

    private struct State {
        var window: Window
        /// Of the window before.
        var figures: Figures?
    }

    /// More codes, over all codebooks, say nothing with as few pictures, and would take memory that a model hardly takes itself.
    private static let mostCodes = 1 << 20

    private let reference: Reference
    private let state: Lock<State>

    /// - Returns: nil where there is nothing to compare with, or too many codes to count.
    init?(_ reference: Reference?) {
        guard let reference, reference.layout.codebooks * reference.layout.codes <= Self.mostCodes else { return nil }
        self.reference = reference
        state = Lock(State(window: Window(counts: CodeCounts(reference.layout))))
    }

    /// Counts the tokens of one or more images.
    func add(_ tokens: Tokens) {
        state.withLock { state in
            state.window.counts.add(tokens)
            state.window.images += tokens.count
            guard state.window.images >= reference.images else { return }
            let counts = state.window.counts
            state = State(
                window: Window(counts: CodeCounts(reference.layout)), figures: Figures(use: counts.usedShare, perplexity: counts.perplexity))
        }
    }

    /// Those of the last whole window, and the reference's; nil before there is one.
    var comparison: (now: Figures, reference: Figures)? {
        state.withLock { $0.figures }.map { ($0, reference.figures) }
    }
}
