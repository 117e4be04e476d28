import Compute
import Networks
import TokenizerCore

extension GroupQuantizer {
    /// A quantiser whose codes are training vectors of their group, chosen as `start` says; those of a later stage are what the codes that were chosen
    /// for the stages before leave of such vectors.
    ///
    /// - Parameter vectors: of the training latents, `[n, G·d]`.
    /// - Returns: nil when a stop was requested before all were chosen.
    package init?(
        _ layout: Layout, shape: LatentShape, transform: VectorTransform? = nil, start: QuantizerOptions.Start = .sample,
        from vectors: Tensor, seed: UInt64, isStopRequested: () -> Bool
    ) {
        self.init(
            layout, shape: shape, transform: transform, start: start, from: SharedRows(of: vectors), seed: seed, isStopRequested: isStopRequested)
    }

    /// The same on several ranks, of which each has some of the vectors; nil on all where one was requested to stop.
    /// - Parameter stages: those whose codes are chosen, the first ones; nil for all. The codes of others are zeros.
    init?(
        _ layout: Layout, shape: LatentShape, transform: VectorTransform?, start: QuantizerOptions.Start, from vectors: SharedRows, seed: UInt64,
        stages: Int? = nil, isStopRequested: () -> Bool
    ) {
        self.init(layout, shape: shape, transform: transform, codebooks: Tensor(zeros: [layout.codebooks, layout.codes, layout.dimension]))
        for stage in 0..<(stages ?? layout.stages) {
            guard chooseCodes(ofStage: stage, start, from: vectors, seed: seed, isStopRequested: isStopRequested) else { return nil }
        }
    }

    /// Chooses the codes of one stage among what those of the stages before it, as they are, leave of vectors.
    /// - Returns: whether all were chosen before a stop was requested, of any rank.
    mutating func chooseCodes(
        ofStage stage: Int, _ start: QuantizerOptions.Start, from vectors: SharedRows, seed: UInt64, isStopRequested: () -> Bool
    ) -> Bool {
        let (layout, ofStage) = (layout, layout.codebooks(ofStage: stage))
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "codebooks"))
        let groups = vectors.split(layout.groups)
        // As many at once as run side by side, so that a stop waits for one of them and not for all.
        let most = vectors.ranks.highest(ComputeContext.current.threads)
        for first in stride(from: ofStage.lowerBound, to: ofStage.upperBound, by: most) {
            if vectors.ranks.any(isStopRequested()) { return false }
            let choices = (first..<min(first + most, ofStage.upperBound)).map {
                CodeChoice($0, of: layout, start, images: vectors.count, root.substream(UInt64($0)))
            }
            let all = groups.rows(at: choices.flatMap(\.places))
            var before = 0
            let candidates = choices.map { choice in
                defer { before += choice.places.count }
                return choice.left(of: all.images(before..<before + choice.places.count), by: codebooks)
            }
            codebooks.withMutablePointer { codebooks in
                Workers.forEach(choices.count) { index in
                    candidates[index].withPointer {
                        choices[index].choose(from: $0, into: codebooks + (first + index) * layout.codes * layout.dimension)
                    }
                }
            }
        }
        return true
    }
}

/// How the codes of one codebook are chosen.
private struct CodeChoice {
    /// Of the vectors among which they are, `image · G + group`.
    let places: [Int]
    /// Those of the stages before, whose vectors are the same.
    private let earlier: [Int]
    private let layout: GroupQuantizer.Layout
    private let start: QuantizerOptions.Start
    /// For what is chosen among them.
    private let random: RandomSource

    init(_ codebook: Int, of layout: GroupQuantizer.Layout, _ start: QuantizerOptions.Start, images: Int, _ random: RandomSource) {
        var random = random
        let perCodebook = layout.tokens / layout.codebooks
        let (stage, place) = codebook.quotientAndRemainder(dividingBy: layout.codebooksPerStage)
        earlier = (0..<stage).map { $0 * layout.codebooksPerStage + place }
        func draw() -> Int {
            let group = place * perCodebook + random.below(perCodebook)
            return random.below(images) * layout.groups + group
        }
        switch start {
        case .sample: places = (0..<layout.codes).map { _ in draw() }
        case .kMeansPlusPlus:
            // All vectors where there are few; otherwise enough for every code to be chosen among many.
            let (all, count) = (images * perCodebook, SpreadChoice.candidates * layout.codes)
            places =
                all > count
                ? (0..<count).map { _ in draw() }
                : (0..<all).map { $0 / perCodebook * layout.groups + place * perCodebook + $0 % perCodebook }
        }
        (self.layout, self.start, self.random) = (layout, start, random)
    }

    /// What the stages before leave of the vectors of ``places``, `[places, d]`.
    /// - Parameter codebooks: `[codebooks, N, d]`, of which those of the stages before are chosen.
    func left(of vectors: Tensor, by codebooks: Tensor) -> Tensor {
        var left = vectors
        for codebook in earlier {
            let codes = codebooks.images(codebook..<codebook + 1)
            let nearest = CodeScan(codes).nearest(left, tokensPerImage: 1)
            left.subtract(codes.reshaped([layout.codes, layout.dimension]).images(at: nearest.map { Int($0) }))
        }
        return left
    }

    /// - Parameters:
    ///   - candidates: what ``left(of:by:)`` made of the vectors of ``places``, `[places, d]`.
    ///   - codes: `[N, d]`.
    func choose(from candidates: UnsafePointer<Float>, into codes: UnsafeMutablePointer<Float>) {
        guard start == .kMeansPlusPlus else { return codes.update(from: candidates, count: layout.codes * layout.dimension) }
        var choice = SpreadChoice(capacity: places.count, d: layout.dimension)
        for place in places.indices { choice.add(candidates + place * layout.dimension) }
        var random = random
        choice.choose(layout.codes, into: codes, &random)
    }
}
