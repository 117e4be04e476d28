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
        self.init(
            layout, shape: shape, transform: transform, start: start, from: SharedRows(of: vectors), seed: seed, isStopRequested: isStopRequested)
    }

    /// The same on several ranks, of which each has some of the vectors; nil on all where one was requested to stop.
    init?(
        _ layout: Layout, shape: LatentShape, transform: VectorTransform?, start: QuantizerOptions.Start, from vectors: SharedRows, seed: UInt64,
        isStopRequested: () -> Bool
    ) {
        var codebooks = Tensor(uninitialized: [layout.codebooks, layout.codes, layout.dimension])
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "codebooks"))
        let tokens = vectors.split(layout.tokens)
        // As many at once as run side by side, so that a stop waits for one of them and not for all.
        let most = vectors.ranks.highest(ComputeContext.current.threads)
        for first in stride(from: 0, to: layout.codebooks, by: most) {
            if vectors.ranks.any(isStopRequested()) { return nil }
            let choices = (first..<min(first + most, layout.codebooks)).map {
                CodeChoice($0, of: layout, start, images: vectors.count, root.substream(UInt64($0)))
            }
            let candidates = tokens.rows(at: choices.flatMap(\.places))
            codebooks.withMutablePointer { codebooks in
                candidates.withPointer { candidates in
                    Workers.forEach(choices.count) { index in
                        let before = choices[..<index].reduce(0) { $0 + $1.places.count }
                        choices[index].choose(
                            from: candidates + before * layout.dimension, into: codebooks + (first + index) * layout.codes * layout.dimension)
                    }
                }
            }
        }
        self.init(layout, shape: shape, transform: transform, codebooks: codebooks)
    }
}

/// How the codes of one codebook are chosen.
private struct CodeChoice {
    /// Of the vectors among which they are, `image · T + token`.
    let places: [Int]
    private let layout: GroupQuantizer.Layout
    private let start: QuantizerOptions.Start
    /// For what is chosen among them.
    private let random: RandomSource

    init(_ codebook: Int, of layout: GroupQuantizer.Layout, _ start: QuantizerOptions.Start, images: Int, _ random: RandomSource) {
        var random = random
        let perCodebook = layout.tokens / layout.codebooks
        func draw() -> Int {
            let token = codebook * perCodebook + random.below(perCodebook)
            return random.below(images) * layout.tokens + token
        }
        switch start {
        case .sample: places = (0..<layout.codes).map { _ in draw() }
        case .kMeansPlusPlus:
            // All vectors where there are few; otherwise enough for every code to be chosen among many.
            let (all, count) = (images * perCodebook, SpreadChoice.candidates * layout.codes)
            places =
                all > count
                ? (0..<count).map { _ in draw() }
                : (0..<all).map { $0 / perCodebook * layout.tokens + codebook * perCodebook + $0 % perCodebook }
        }
        (self.layout, self.start, self.random) = (layout, start, random)
    }

    /// - Parameters:
    ///   - candidates: the vectors of ``places``, `[places, d]`.
    ///   - codes: `[N, d]`.
    func choose(from candidates: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>) {
        guard start == .kMeansPlusPlus else { return codes.update(from: candidates, count: layout.codes * layout.dimension) }
        var choice = SpreadChoice(capacity: places.count, d: layout.dimension)
        for place in places.indices { choice.add(candidates + place * layout.dimension) }
        var random = random
        choice.choose(layout.codes, into: codes, &random)
    }
}
