/// The channel multi-group vector quantiser: latents in C,H,W order are cut into T runs of d numbers, and each run becomes the index
/// of the nearest of its codebook's N codes.
///
/// Source: ReVQ (arXiv 2507.10547). There every token position has a codebook of its own; here neighbouring positions may share one.
public struct GroupQuantizer: Parameterized {
    /// The extents of a quantiser, checked.
    public struct Layout: Sendable, Hashable, Codable {
        /// T: tokens per image.
        public let tokens: Int
        /// N: codes per codebook.
        public let codes: Int
        /// d: numbers per token.
        public let dimension: Int
        /// How many codebooks there are: T (one per position), 1 (one for all), or any divisor of T between (the number of latent
        /// channels gives one per channel). Token t uses codebook `t · codebooks / T`.
        public let codebooks: Int

        /// - Throws: what is impossible about the numbers.
        public init(tokens: Int, codes: Int, latents: Int, codebooks: Int) throws(LayoutError) {
            guard tokens >= 1, latents % tokens == 0 else {
                throw LayoutError(description: "\(tokens) tokens do not divide \(latents) latent values")
            }
            guard (1...1 << 20).contains(codes) else { throw LayoutError(description: "a codebook has 1 to 1,048,576 codes, not \(codes)") }
            guard codebooks >= 1, tokens % codebooks == 0 else {
                throw LayoutError(description: "\(codebooks) codebooks do not divide \(tokens) tokens")
            }
            guard codebooks * codes <= Self.maximumNumbers / (latents / tokens) else {
                throw LayoutError(description: "\(codebooks) codebooks of \(codes) codes of \(latents / tokens) numbers are more than \(Self.maximumNumbers)")
            }
            (self.tokens, self.codes, self.codebooks) = (tokens, codes, codebooks)
            dimension = latents / tokens
        }

        /// The paper's largest has 2²⁹; beyond 2³⁰ (4 GiB) a layout is a mistake or an attack.
        private static let maximumNumbers = 1 << 30

        /// Bits that one image's tokens take.
        public var bits: Double { Double(tokens) * Double(codes).logarithm2 }

        func codebook(ofToken token: Int) -> Int { token * codebooks / tokens }
    }

    /// Why a layout is impossible, in one line.
    public struct LayoutError: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    public let layout: Layout
    /// `[codebooks, N, d]`
    public var codebooks: Tensor {
        didSet { search = SharedCodeSearch() }
    }
    private var search = SharedCodeSearch()

    /// - Precondition: `codebooks` is `[layout.codebooks, N, d]`.
    public init(_ layout: Layout, codebooks: Tensor) {
        precondition(codebooks.shape == [layout.codebooks, layout.codes, layout.dimension], "codebooks of \(codebooks.shape) for \(layout)")
        (self.layout, self.codebooks) = (layout, codebooks)
    }

    /// Nearest codes by Euclidean distance, the lowest index where several are equally near.
    ///
    /// - Parameter latents: normalised, `[n, T·d]`.
    public func tokens(_ latents: Tensor) -> Tokens {
        precondition(latents.c == layout.tokens * layout.dimension, "a quantiser of \(layout) got \(latents.shape)")
        return Tokens(tokensPerImage: layout.tokens, indices: search.over(codebooks).nearest(latents, tokensPerImage: layout.tokens))
    }

    /// The codes that `tokens` name: `[n, T·d]`.
    /// - Precondition: every token is in `0 ..< N`.
    public func latents(_ tokens: Tokens) -> Tensor {
        let (dimension, codes, perImage) = (layout.dimension, layout.codes, layout.tokens)
        var result = Tensor(uninitialized: [tokens.count, perImage * dimension])
        result.withMutablePointer { target in
            codebooks.withPointer { codebooks in
                for (position, index) in tokens.indices.enumerated() {
                    precondition(index >= 0 && Int(index) < codes, "token \(index) is not one of \(codes) codes")
                    let code = codebooks + (layout.codebook(ofToken: position % perImage) * codes + Int(index)) * dimension
                    (target + position * dimension).update(from: code, count: dimension)
                }
            }
        }
        return result
    }

    /// Adds `gradient`, dL/d(quantised latents) as `[n, T·d]`, to the codes that were used.
    public mutating func accumulate(_ gradient: Tensor, at tokens: Tokens) {
        let (dimension, codes, perImage) = (layout.dimension, layout.codes, layout.tokens)
        let layout = layout
        codebooks.withMutablePointer { codebooks in
            gradient.withPointer { gradient in
                for (position, index) in tokens.indices.enumerated() {
                    let code = codebooks + (layout.codebook(ofToken: position % perImage) * codes + Int(index)) * dimension
                    for j in 0..<dimension { code[j] += gradient[position * dimension + j] }
                }
            }
        }
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "embeddings", .learned, &codebooks)
    }
}
