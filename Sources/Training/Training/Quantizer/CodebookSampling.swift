import TokenizerCore

extension GroupQuantizer {
    /// A quantiser whose codes are training runs of their group, chosen as `start` says.
    ///
    /// - Parameter runs: of the training latents, `[n, T·d]`.
    init(_ layout: Layout, transform: RunTransform? = nil, start: QuantizerOptions.Start = .sample, from runs: Tensor, seed: UInt64) {
        let (codes, d, images) = (layout.codes, layout.dimension, runs.n)
        let perCodebook = layout.tokens / layout.codebooks
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "codebooks"))
        var codebooks = Tensor(uninitialized: [layout.codebooks, codes, d])
        codebooks.withMutablePointer { codebooks in
            runs.withPointer { runs in
                Workers.forEach(layout.codebooks) { codebook in
                    var random = root.substream(UInt64(codebook))
                    let draw = { (random: inout RandomSource) in
                        let token = codebook * perCodebook + random.below(perCodebook)
                        return runs + (random.below(images) * layout.tokens + token) * d
                    }
                    let target = codebooks + codebook * codes * d
                    switch start {
                    case .sample:
                        for code in 0..<codes { (target + code * d).update(from: draw(&random), count: d) }
                    case .kMeansPlusPlus:
                        // All runs where there are few; otherwise enough for every code to be chosen among many.
                        let (all, count) = (images * perCodebook, SpreadChoice.candidates * codes)
                        var candidates = SpreadChoice(capacity: min(all, count), d: d)
                        for index in 0..<min(all, count) {
                            let (image, token) = index.quotientAndRemainder(dividingBy: perCodebook)
                            candidates.add(all <= count ? runs + (image * layout.tokens + codebook * perCodebook + token) * d : draw(&random))
                        }
                        candidates.choose(codes, into: target, &random)
                    }
                }
            }
        }
        self.init(layout, transform: transform, codebooks: codebooks)
    }
}
