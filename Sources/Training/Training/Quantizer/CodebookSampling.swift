import TokenizerCore

extension GroupQuantizer {
    /// A quantiser whose codes are random training latents of their group, drawn with replacement, as ReVQ starts.
    ///
    /// - Parameter latents: normalised, `[n, T·d]`.
    init(_ layout: Layout, sampling latents: Tensor, seed: UInt64) {
        let (codes, d) = (layout.codes, layout.dimension)
        let images = latents.n
        let perCodebook = layout.tokens / layout.codebooks
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "codebooks"))
        var codebooks = Tensor(uninitialized: [layout.codebooks, codes, d])
        codebooks.withMutablePointer { codebooks in
            latents.withPointer { latents in
                for codebook in 0..<layout.codebooks {
                    var random = root.substream(UInt64(codebook))
                    for code in 0..<codes {
                        let token = codebook * perCodebook + random.below(perCodebook)
                        let source = latents + (random.below(images) * layout.tokens + token) * d
                        (codebooks + (codebook * codes + code) * d).update(from: source, count: d)
                    }
                }
            }
        }
        self.init(layout, codebooks: codebooks)
    }
}
