import Compute
import Files
import Networks

/// The multi-group vector quantiser: latents are cut into G vectors of d numbers, and each vector becomes the index of the nearest of its
/// codebook's N codes; with more than one stage each of these quantises what the stages before it left, so that T = G · stages.
///
/// The tokens of the first stage come first: the first T · k / stages tokens of an image are what the same codes make of it in k stages, a coarser
/// reading, and what is predicted token after token is predicted from coarse to fine. It also has each stage's codebooks lie together.
///
/// Source: ReVQ (arXiv 2507.10547). There vectors are pieces of the C,H,W order and every one has a codebook of its own; here a
/// ``VectorTransform`` may form them, and neighbouring vectors may share a codebook. Stages: Residual Quantization (arXiv 2203.01941).
package struct GroupQuantizer: Parameterized {
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
    /// Each stage is searched for itself.
    private var searched: Derived<Tensor, [SharedCodeSearch]>
    private var searches: [SharedCodeSearch] { searched.form { _ in (0..<layout.stages).map { _ in SharedCodeSearch() } } }

    /// - Precondition: `codebooks` is `[layout.codebooks, N, d]`, and `transform` is of the layout's grouping.
    package init(_ layout: Layout, shape: LatentShape, transform: VectorTransform? = nil, codebooks: Tensor) {
        self.init(layout, shape: shape, transform: transform, searched: Derived(codebooks))
    }

    private init(_ layout: Layout, shape: LatentShape, transform: VectorTransform?, searched: Derived<Tensor, [SharedCodeSearch]>) {
        let codebooks = searched.source
        precondition(shape.count == layout.groups * layout.dimension, "latents of \(shape) for \(layout)")
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

    /// Nearest codes by Euclidean distance between vectors, the lowest index where several are equally near; stage after stage, each nearest to
    /// what is left.
    ///
    /// - Parameter latents: normalised.
    package func tokens(_ latents: Latents) -> Tokens {
        tokens(ofVectors: vectors(latents))
    }

    /// Normalised latents as the quantiser compares them with codes: `[n, G·d]`.
    package func vectors(_ latents: Latents) -> Tensor {
        precondition(latents.shape == shape, "a quantiser of latents of \(shape) got \(latents.shape)")
        return transform?.vectors(latents) ?? latents.rows
    }

    /// - Parameter vectors: `[n, G·d]`.
    package func tokens(ofVectors vectors: Tensor) -> Tokens {
        var (left, found): (Tensor, [[Int32]]) = (vectors, [])
        for stage in 0..<layout.stages {
            if let before = found.last { left.subtract(codes(before, ofStages: stage - 1..<stage)) }
            found.append(nearest(left, ofStage: stage))
        }
        return Tokens(joiningStages: found, perStage: layout.groups)
    }

    /// - Parameter vectors: `[n, G·d]`.
    func nearest(_ vectors: Tensor, ofStage stage: Int) -> [Int32] {
        searches[stage].nearest(vectors, tokensPerImage: layout.groups, in: codebooks.images(layout.codebooks(ofStage: stage)))
    }

    /// Arranges the codebooks for many searches now instead of when it pays.
    package func prepareSearch() {
        for (stage, search) in searches.enumerated() { search.prepare(codebooks.images(layout.codebooks(ofStage: stage))) }
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

    /// The gradient for the code of each token, `[n, T·d]`, given the one for the latents that ``latents(ofVectors:)`` makes of them.
    package func codeGradient(_ dlatents: Latents) -> Tensor {
        repeatedForStages(transform?.gradient(dlatents) ?? dlatents.rows)
    }

    /// What a squared difference in the vectors of each token weighs in the distortion, `[T]`; nil where all weigh 1.
    package var importance: [Float]? {
        transform.map { transform in
            let ofStage = transform.importance.flatMap { repeatElement($0, count: transform.places) }
            return repeatElement(ofStage, count: layout.stages).flatMap { $0 }
        }
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
        guard positions % layout.codebooksPerStage == 0, positions == grouping.positions(of: other, d: d) else {
            throw LayoutError(
                description:
                    "its \(layout.codebooks) codebooks belong to places in the image: only codes that a channel's tokens share hold at another size")
        }
        let resized = try Layout(
            tokens: other.count / d * layout.stages, codes: layout.codes, latents: other.count, codebooks: layout.codebooks,
            grouping: layout.grouping, stages: layout.stages)
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
