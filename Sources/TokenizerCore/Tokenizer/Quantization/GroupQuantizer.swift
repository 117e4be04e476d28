import Compute
import Networks

/// The multi-group vector quantiser: latents are cut into T runs of d numbers, and each run becomes the index of the nearest of its
/// codebook's N codes.
///
/// Source: ReVQ (arXiv 2507.10547). There runs are pieces of the C,H,W order and every one has a codebook of its own; here a
/// ``RunTransform`` may form them, and neighbouring runs may share a codebook.
package struct GroupQuantizer: Parameterized {
    /// The extents of a quantiser, checked.
    package struct Layout: Sendable, Hashable, Codable {
        /// T: tokens per image.
        package let tokens: Int
        /// N: codes per codebook.
        package let codes: Int
        /// d: numbers per token.
        package let dimension: Int
        /// How many codebooks there are: T (one per position), 1 (one for all), or any divisor of T between (the number of latent
        /// channels gives one per channel). Token t uses codebook `t · codebooks / T`.
        package let codebooks: Int
        /// How elements become runs; nil for the paper's strips of equally weighted latents, which need no transform.
        package let grouping: Grouping?

        /// - Throws: what is impossible about the numbers.
        package init(tokens: Int, codes: Int, latents: Int, codebooks: Int, grouping: Grouping? = nil) throws(LayoutError) {
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
            (self.tokens, self.codes, self.codebooks, self.grouping) = (tokens, codes, codebooks, grouping)
            dimension = latents / tokens
        }

        /// What is impossible about a layout that was read from a file, if anything.
        /// - Precondition: `shape` is possible.
        package func problem(for shape: LatentShape) -> String? {
            do throws(LayoutError) {
                let layout = try Layout(tokens: tokens, codes: codes, latents: shape.count, codebooks: codebooks, grouping: grouping)
                if layout != self { return "a token has \(layout.dimension) numbers, not \(dimension)" }
                return grouping?.problem(for: shape, d: dimension)
            } catch {
                return error.description
            }
        }

        /// The paper's largest has 2²⁹; beyond 2³⁰ (4 GiB) a layout is a mistake or an attack.
        private static let maximumNumbers = 1 << 30

        /// Bits that one image's tokens take.
        package var bits: Double { Double(tokens) * Double(codes).logarithm2 }

        /// One spelling for each layout, for hashing.
        var canonicalName: String {
            let extents = "\(tokens)×\(codes)×\(dimension)/\(codebooks)"
            return grouping.map { extents + " " + $0.name } ?? extents
        }

        func codebook(ofToken token: Int) -> Int { token * codebooks / tokens }
    }

    /// Why a layout is impossible, in one line.
    package struct LayoutError: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    package let layout: Layout
    /// Between latents and runs; nil where they are the same.
    package private(set) var transform: RunTransform?
    /// `[codebooks, N, d]`
    package var codebooks: Tensor {
        didSet { search = SharedCodeSearch() }
    }
    private var search = SharedCodeSearch()

    /// - Precondition: `codebooks` is `[layout.codebooks, N, d]`, and `transform` is of the layout's grouping.
    package init(_ layout: Layout, transform: RunTransform? = nil, codebooks: Tensor) {
        precondition(codebooks.shape == [layout.codebooks, layout.codes, layout.dimension], "codebooks of \(codebooks.shape) for \(layout)")
        precondition(transform?.grouping == layout.grouping, "a transform of \(transform?.grouping.name ?? "no") groups for \(layout)")
        (self.layout, self.transform, self.codebooks) = (layout, transform, codebooks)
    }

    /// One whose numbers are loaded next.
    /// - Throws: when latents of `shape` cannot be grouped as the layout says.
    package init(placeholder layout: Layout, shape: LatentShape) throws(LayoutError) {
        var transform: RunTransform?
        if let grouping = layout.grouping { transform = try RunTransform(grouping, shape: shape, dimension: layout.dimension) }
        self.init(layout, transform: transform, codebooks: Tensor(placeholder: [layout.codebooks, layout.codes, layout.dimension]))
    }

    /// Nearest codes by Euclidean distance between runs, the lowest index where several are equally near.
    ///
    /// - Parameter latents: normalised, `[n, C·H·W]`.
    package func tokens(_ latents: Tensor) -> Tokens {
        tokens(ofRuns: runs(latents))
    }

    /// Normalised latents, `[n, C·H·W]`, as the quantiser compares them with codes: `[n, T·d]`.
    package func runs(_ latents: Tensor) -> Tensor {
        precondition(latents.c == layout.tokens * layout.dimension, "a quantiser of \(layout) got \(latents.shape)")
        return transform?.runs(latents) ?? latents
    }

    /// - Parameter runs: `[n, T·d]`.
    package func tokens(ofRuns runs: Tensor) -> Tokens {
        Tokens(tokensPerImage: layout.tokens, indices: search.nearest(runs, tokensPerImage: layout.tokens, in: codebooks))
    }

    /// Arranges the codebooks for many searches now instead of when it pays.
    package func prepareSearch() {
        search.prepare(codebooks)
    }

    /// The latents that `tokens` stand for: `[n, C·H·W]`.
    /// - Precondition: every token is in `0 ..< N`.
    package func latents(_ tokens: Tokens) -> Tensor {
        latents(ofRuns: codes(tokens))
    }

    /// The inverse of ``runs(_:)``.
    package func latents(ofRuns runs: Tensor) -> Tensor {
        transform?.latents(runs) ?? runs
    }

    /// The gradient for codes, `[n, T·d]`, given the one for the latents that ``latents(ofRuns:)`` makes of them.
    package func codeGradient(_ dlatents: Tensor) -> Tensor {
        transform?.gradient(dlatents) ?? dlatents
    }

    /// The codes that `tokens` name: `[n, T·d]`.
    /// - Precondition: every token is in `0 ..< N`.
    package func codes(_ tokens: Tokens) -> Tensor {
        let (dimension, codes, perImage) = (layout.dimension, layout.codes, layout.tokens)
        let first = (0..<perImage).map { layout.codebook(ofToken: $0) * codes }
        var result = Tensor(uninitialized: [tokens.count, perImage * dimension])
        result.withMutablePointer { target in
            codebooks.withPointer { codebooks in
                RowPieces.forEach(rows: tokens.count, width: perImage * dimension) { images in
                    for image in images {
                        for token in 0..<perImage {
                            let position = image * perImage + token
                            let index = Int(tokens.indices[position])
                            precondition(index >= 0 && index < codes, "token \(index) is not one of \(codes) codes")
                            let (code, place) = (codebooks + (first[token] + index) * dimension, target + position * dimension)
                            for j in 0..<dimension { place[j] = code[j] }
                        }
                    }
                }
            }
        }
        return result
    }

    /// What a squared difference in the runs of each token weighs in the distortion, `[T]`; nil where all weigh 1.
    package var importance: [Float]? {
        transform.map { transform in transform.importance.flatMap { repeatElement($0, count: transform.places) } }
    }

    /// The distortion that tokens are chosen by: the mean of weighted squared differences, and its gradient with respect to `codes`.
    ///
    /// - Parameter codes: what ``codes(_:)`` gave for `runs`, `[n, T·d]` both.
    package func distortion(_ codes: Tensor, _ runs: Tensor) -> (value: Double, gradient: Tensor) {
        let (value, gradient) = SquaredError.loss(codes, runs)
        guard let importance else { return (value, gradient) }
        let (count, d) = (codes.count, layout.dimension)
        var (weighted, sum) = (gradient, 0.0)
        weighted.withMutablePointer { weighted in
            codes.withPointer { codes in
                runs.withPointer { runs in
                    for i in 0..<count {
                        let importance = importance[i / d % layout.tokens]
                        weighted[i] *= importance
                        sum += Double(importance) * Double(codes[i] - runs[i]) * Double(codes[i] - runs[i])
                    }
                }
            }
        }
        return (sum / Double(max(count, 1)), weighted)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        if var transform {
            transform.visit(path / "transform", visitor)
            self.transform = transform
        }
        visitor(path / "embeddings", .learned, &codebooks)
    }
}
