import Compute
import Networks
import TokenizerCore

extension GroupQuantizer {
    /// A quantiser whose codes are training vectors of their group, chosen as `start` says.
    ///
    /// - Parameter vectors: of the training latents, `[n, T·d]`.
    /// - Returns: nil when a stop was requested before all were chosen.
    package init?(
        _ layout: Layout, shape: LatentShape, transform: VectorTransform? = nil, start: QuantizerOptions.Start = .sample,
        from vectors: Tensor, seed: UInt64, isStopRequested: () -> Bool
    ) {
        var codebooks = Tensor(uninitialized: [layout.codebooks, layout.codes, layout.dimension])
        // As many at once as run side by side, so that a stop waits for one of them and not for all.
        for first in stride(from: 0, to: layout.codebooks, by: ComputeContext.current.threads) {
            if isStopRequested() { return nil }
            let chosen = first..<min(first + ComputeContext.current.threads, layout.codebooks)
            codebooks.withMutablePointer { Self.choose(chosen, of: layout, start, from: vectors, seed: seed, into: $0) }
        }
        self.init(layout, shape: shape, transform: transform, codebooks: codebooks)
    }

    /// Fills some of the codebooks, `[codebooks, N, d]`.
    private static func choose(
        _ chosen: Range<Int>, of layout: Layout, _ start: QuantizerOptions.Start, from vectors: Tensor, seed: UInt64,
        into codebooks: UnsafeMutablePointer<Float>
    ) {
        let (codes, d, images) = (layout.codes, layout.dimension, vectors.n)
        let perCodebook = layout.tokens / layout.codebooks
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "codebooks"))
        vectors.withPointer { vectors in
            Workers.forEach(chosen.count) { piece in
                let codebook = chosen.lowerBound + piece
                var random = root.substream(UInt64(codebook))
                let draw = { (random: inout RandomSource) in
                    let token = codebook * perCodebook + random.below(perCodebook)
                    return vectors + (random.below(images) * layout.tokens + token) * d
                }
                let target = codebooks + codebook * codes * d
                switch start {
                case .sample:
                    for code in 0..<codes { (target + code * d).update(from: draw(&random), count: d) }
                case .kMeansPlusPlus:
                    // All vectors where there are few; otherwise enough for every code to be chosen among many.
                    let (all, count) = (images * perCodebook, SpreadChoice.candidates * codes)
                    var candidates = SpreadChoice(capacity: min(all, count), d: d)
                    for index in 0..<min(all, count) {
                        let (image, token) = index.quotientAndRemainder(dividingBy: perCodebook)
                        candidates.add(all <= count ? vectors + (image * layout.tokens + codebook * perCodebook + token) * d : draw(&random))
                    }
                    candidates.choose(codes, into: target, &random)
                }
            }
        }
    }
}
