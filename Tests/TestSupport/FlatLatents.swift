import Compute
import Fitting
import Networks
import TokenizerCore

// For tests that care about numbers and not about where in a picture they lie.

extension LatentShape {
    /// One row of one channel, so that both orders of latents are the same.
    package static func flat(_ count: Int) -> LatentShape { LatentShape(channels: 1, height: 1, width: count) }
}

extension Latents {
    /// - Parameter rows: `[n, count]`.
    package init(flat rows: Tensor) {
        self.init(rows: rows, shape: .flat(rows.c))
    }
}

extension GroupQuantizer {
    /// With normal codes.
    package static func random(
        tokens: Int, codes: Int, dimension: Int, codebooks: Int, stages: Int = 1, seed: UInt64 = 1
    ) throws -> GroupQuantizer {
        let layout = try GroupQuantizer.Layout(
            tokens: tokens, codes: codes, latents: tokens / stages * dimension, codebooks: codebooks, stages: stages)
        var random = RandomSource(seed: seed, stream: 1)
        var tensor = Tensor(uninitialized: [codebooks, codes, dimension])
        random.fill(normal: &tensor)
        return GroupQuantizer(layout, codebooks: tensor)
    }

    /// For flat latents.
    package init(_ layout: Layout, codebooks: Tensor) {
        self.init(layout, shape: .flat(layout.groups * layout.dimension), codebooks: codebooks)
    }

    /// For flat latents, with codes chosen among `vectors`.
    package init(_ layout: Layout, start: QuantizerOptions.Start = .sample, from vectors: Tensor, seed: UInt64) {
        self.init(layout, shape: .flat(layout.groups * layout.dimension), start: start, from: vectors, seed: seed) { false }!
    }
}
