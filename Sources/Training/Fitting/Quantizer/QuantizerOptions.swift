import Networks
import TokenizerCore

/// What a quantiser is to be: how many tokens and codes, what a token is made of, what counts as near, and which tokens share codes.
package struct QuantizerOptions: Codable, Equatable, Sendable {
    /// What codes are chosen and moved to make small.
    package enum Distortion: String, Codable, Sendable, CaseIterable {
        /// The squared error of the normalised latents; the paper's.
        case normalised
        /// The squared error of the decoder's picture, to first order: latents count as much as the decoder reacts to them. Needs the
        /// autoencoder.
        case weighted
    }

    /// Which tokens share a codebook.
    package enum Sharing: String, Codable, Sendable, CaseIterable {
        /// Each has its own; the paper's.
        case untied
        /// Those of one channel, or set of channels or components.
        case channel
        /// All of a stage, scaled by the deviation of their channel, or set of channels or components.
        case one
    }

    /// Where the codes begin.
    package enum Start: String, Codable, Sendable, CaseIterable {
        /// Random training latents, with replacement; the paper's.
        case sample
        /// Training latents, each drawn with a probability that grows with its squared distance from those drawn before.
        /// Source: k-means++: The Advantages of Careful Seeding (Arthur and Vassilvitskii, 2007).
        case kMeansPlusPlus = "k-means++"
    }

    /// T: tokens per image, of all stages.
    package var tokens: Int
    /// N: codes per codebook.
    package var codes: Int
    package var grouping: Grouping
    package var distortion: Distortion
    package var sharing: Sharing
    package var start: Start
    /// How many codes are added up for each vector; nil for one.
    package var stages: Int?

    package init(
        tokens: Int, codes: Int, grouping: Grouping = .strip, distortion: Distortion = .normalised, sharing: Sharing = .untied,
        start: Start = .sample, stages: Int? = nil
    ) {
        (self.tokens, self.codes, self.grouping, self.distortion) = (tokens, codes, grouping, distortion)
        (self.sharing, self.start, self.stages) = (sharing, start, stages)
    }

    /// The extents for latents of `shape`.
    /// - Throws: what is impossible.
    func layout(for shape: LatentShape) throws(GroupQuantizer.LayoutError) -> GroupQuantizer.Layout {
        let stages = stages ?? 1
        let one = try GroupQuantizer.Layout(tokens: tokens, codes: codes, latents: shape.count, codebooks: stages, stages: stages)
        if grouping != .strip || sharing != .untied, let problem = grouping.problem(for: shape, d: one.dimension) {
            throw GroupQuantizer.LayoutError(description: problem)
        }
        let codebooks =
            switch sharing {
            case .untied: tokens
            case .channel: grouping.positions(of: shape, d: one.dimension) * stages
            case .one: stages
            }
        return try GroupQuantizer.Layout(
            tokens: tokens, codes: codes, latents: shape.count, codebooks: codebooks,
            grouping: grouping == .strip && distortion == .normalised ? nil : grouping, stages: stages)
    }

    /// Refuses what cannot be fitted, before work starts.
    ///
    /// - Parameter images: how many there are to learn from.
    /// - Throws: what is impossible.
    package func check(_ shape: LatentShape, images: Int, hasAutoencoder: Bool) throws(GroupQuantizer.LayoutError) {
        let layout = try layout(for: shape)
        guard distortion == .normalised || hasAutoencoder else {
            throw .init(description: "the weighted distortion is measured through the autoencoder: name it with --vae")
        }
        let vectors = images * (layout.tokens / layout.codebooks)
        guard vectors >= layout.codes else {
            throw .init(
                description:
                    "\(images) training images give each codebook \(vectors) vectors, fewer than its \(codes) codes: use more images, fewer codes, or codebooks that tokens share"
            )
        }
    }
}
