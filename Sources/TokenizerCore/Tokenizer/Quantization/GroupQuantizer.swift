import Compute
import Files
import Networks

/// The multi-group vector quantiser: latents are cut into T vectors of d numbers, and each vector becomes the index of the nearest of its
/// codebook's N codes.
///
/// Source: ReVQ (arXiv 2507.10547). There vectors are pieces of the C,H,W order and every one has a codebook of its own; here a
/// ``VectorTransform`` may form them, and neighbouring vectors may share a codebook.
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
        /// How elements become vectors; nil for the paper's strips of equally weighted latents, which need no transform.
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
                throw LayoutError(
                    description: "\(codebooks) codebooks of \(codes) codes of \(latents / tokens) numbers are more than \(Self.maximumNumbers)")
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
    /// The extents of one image's latents.
    package let shape: LatentShape
    /// Between latents and vectors; nil where vectors are strips of the C,H,W order.
    package private(set) var transform: VectorTransform?
    /// `[codebooks, N, d]`
    package var codebooks: Tensor {
        get { searched.source }
        _modify { yield &searched.source }
    }
    private var searched: Derived<Tensor, SharedCodeSearch>
    private var search: SharedCodeSearch { searched.form { _ in SharedCodeSearch() } }

    /// - Precondition: `codebooks` is `[layout.codebooks, N, d]`, and `transform` is of the layout's grouping.
    package init(_ layout: Layout, shape: LatentShape, transform: VectorTransform? = nil, codebooks: Tensor) {
        self.init(layout, shape: shape, transform: transform, searched: Derived(codebooks))
    }

    private init(_ layout: Layout, shape: LatentShape, transform: VectorTransform?, searched: Derived<Tensor, SharedCodeSearch>) {
        let codebooks = searched.source
        precondition(shape.count == layout.tokens * layout.dimension, "latents of \(shape) for \(layout)")
        precondition(codebooks.shape == [layout.codebooks, layout.codes, layout.dimension], "codebooks of \(codebooks.shape) for \(layout)")
        precondition(transform?.grouping == layout.grouping, "a transform of \(transform?.grouping.name ?? "no") groups for \(layout)")
        (self.layout, self.shape, self.transform, self.searched) = (layout, shape, transform, searched)
    }

    /// One whose numbers are loaded next.
    /// - Throws: when latents of `shape` cannot be grouped as the layout says.
    package init(placeholder layout: Layout, shape: LatentShape) throws(LayoutError) {
        var transform: VectorTransform?
        if let grouping = layout.grouping { transform = try VectorTransform(grouping, shape: shape, dimension: layout.dimension) }
        self.init(
            layout, shape: shape, transform: transform,
            codebooks: Tensor(placeholder: [layout.codebooks, layout.codes, layout.dimension]))
    }

    /// Nearest codes by Euclidean distance between vectors, the lowest index where several are equally near.
    ///
    /// - Parameter latents: normalised.
    package func tokens(_ latents: Latents) -> Tokens {
        tokens(ofVectors: vectors(latents))
    }

    /// Normalised latents as the quantiser compares them with codes: `[n, T·d]`.
    package func vectors(_ latents: Latents) -> Tensor {
        precondition(latents.shape == shape, "a quantiser of latents of \(shape) got \(latents.shape)")
        return transform?.vectors(latents) ?? latents.rows
    }

    /// - Parameter vectors: `[n, T·d]`.
    package func tokens(ofVectors vectors: Tensor) -> Tokens {
        Tokens(tokensPerImage: layout.tokens, indices: search.nearest(vectors, tokensPerImage: layout.tokens, in: codebooks))
    }

    /// Arranges the codebooks for many searches now instead of when it pays.
    package func prepareSearch() {
        search.prepare(codebooks)
    }

    /// The latents that `tokens` stand for.
    /// - Precondition: every token is in `0 ..< N`.
    package func latents(_ tokens: Tokens) -> Latents {
        latents(ofVectors: codes(tokens))
    }

    /// The inverse of ``vectors(_:)``.
    package func latents(ofVectors vectors: Tensor) -> Latents {
        transform?.latents(vectors) ?? Latents(rows: vectors, shape: shape)
    }

    /// The gradient for codes, `[n, T·d]`, given the one for the latents that ``latents(ofVectors:)`` makes of them.
    package func codeGradient(_ dlatents: Latents) -> Tensor {
        transform?.gradient(dlatents) ?? dlatents.rows
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

    /// What a squared difference in the vectors of each token weighs in the distortion, `[T]`; nil where all weigh 1.
    package var importance: [Float]? {
        transform.map { transform in transform.importance.flatMap { repeatElement($0, count: transform.places) } }
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        if var transform {
            transform.visit(path / "transform", visitor)
            self.transform = transform
        }
        visitor(path / "embeddings", .learned, &codebooks)
    }
}

extension GroupQuantizer {
    /// Reads the transform and the codes that a file holds under `prefix`.
    /// - Throws: when a tensor is missing, wrongly shaped or not finite, or the transform cannot be reversed.
    package init(_ layout: Layout, shape: LatentShape, from file: SafetensorsFile, prefix: String) throws(FileError) {
        do throws(LayoutError) {
            try self.init(placeholder: layout, shape: shape)
        } catch {
            throw FileError(file.path, error.description)
        }
        try load(from: file, prefix: prefix)
        if let problem = transform?.problem { throw FileError(file.path, problem) }
    }
}

extension GroupQuantizer {
    /// The same codes for latents of another height and width, with as many more or fewer tokens. Both share the arrangement for searches.
    ///
    /// - Throws: when codes belong to sites and not to channels or components, or the new extents cannot be grouped.
    package func resized(to other: LatentShape) throws(LayoutError) -> GroupQuantizer {
        let (grouping, d) = (layout.grouping ?? .strip, layout.dimension)
        for shape in [shape, other] {
            if let problem = grouping.problem(for: shape, d: d) { throw LayoutError(description: problem) }
        }
        let positions = grouping.positions(of: shape, d: d)
        guard positions % layout.codebooks == 0, positions == grouping.positions(of: other, d: d) else {
            throw LayoutError(
                description:
                    "its \(layout.codebooks) codebooks belong to places in the image: only codes that a channel's tokens share hold at another size")
        }
        let resized = try Layout(
            tokens: other.count / d, codes: layout.codes, latents: other.count, codebooks: layout.codebooks, grouping: layout.grouping)
        return GroupQuantizer(resized, shape: other, transform: try transform?.resized(to: other), searched: searched)
    }

    /// The same together with the normaliser in front of it.
    ///
    /// - Parameter rectifier: what corrects the latents, as it is at any size that is allowed.
    /// - Throws: when one of the three belongs to one size.
    package func resized(
        to other: LatentShape, with normalizer: LatentNormalizer, behind rectifier: RectifierConfiguration
    ) throws(LayoutError) -> (normalizer: LatentNormalizer, quantizer: GroupQuantizer) {
        switch rectifier.network {
        case .mlp, .linear(reach: .image): throw LayoutError(description: "its rectifier sees the whole image")
        case .identity, .vit, .cnn, .linear: break
        }
        guard let normalizer = normalizer.resized(to: other) else { throw LayoutError(description: "its latents are normalised site by site") }
        return (normalizer, try resized(to: other))
    }
}
