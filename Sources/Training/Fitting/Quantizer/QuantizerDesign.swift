import Compute
import Glibc
import Networks
import TokenizerCore

/// All of a quantiser but its codes, measured on training latents: how they are normalised, grouped, weighted and scaled.
package struct QuantizerDesign {
    package let normalizer: LatentNormalizer
    package let layout: GroupQuantizer.Layout
    /// Nil for the paper's strips.
    package let transform: VectorTransform?
    /// What squared errors of the elements of a box of all channels count, averaging 1; see ``QuantizerBounds``.
    let metric: SymmetricMatrix
    /// The side of that box.
    let side: Int
    /// What the decoder feels of the elements of the box, see ``DecoderSensitivity/gram``; nil where it does not count.
    let sensitivity: SymmetricMatrix?

    /// Images that covariances and scales are measured on.
    static let measuredImages = 4096
    /// Directions that the decoder hardly feels are taken for this sensitive, relative to the mean, so that they stay reversible.
    private static let leastSensitivity = 1e-3

    /// - Parameters:
    ///   - latents: raw, to learn from; ranks that each have some of them make one design together.
    ///   - decoder: of the autoencoder that made the latents, at these; needed for ``QuantizerOptions/Distortion/weighted`` only.
    ///   - known: the sensitivity, where an equal design has measured it.
    ///   - progress: of measuring it, in decoded pictures.
    /// - Returns: nil when a stop was requested before the decoder's sensitivity was measured.
    /// - Throws: what is impossible about the options.
    package init?(
        _ options: QuantizerOptions, training latents: SharedLatents, decoder: DecoderProbe?,
        sensitivity known: SymmetricMatrix? = nil, seed: UInt64, progress: (Int, Int) -> Void = { _, _ in }, isStopRequested: () -> Bool
    ) throws(GroupQuantizer.LayoutError) {
        layout = try options.layout(for: latents.shape)
        normalizer = LatentNormalizer(fitting: latents, ofChannels: options.sharing != .untied)
        // Before anything that a stop may end on one rank alone.
        let measuredOn = layout.grouping == nil ? nil : latents.spread(Self.measuredImages)
        let box = Self.box(for: options.grouping, latents.shape)
        side = box.height
        if options.distortion == .weighted {
            guard let decoder else { preconditionFailure("a weighted distortion needs the decoder") }
            let found = known ?? decoder.gram(normalizer, box, seed: seed, progress: progress, isStopRequested: isStopRequested)
            guard let measured = found else { return nil }
            sensitivity = measured
            let felt = options.grouping.isTransform ? measured : SymmetricMatrix(diagonal: measured.diagonal)
            let mean = felt.trace / Double(felt.n)
            let floor = Self.leastSensitivity
            metric = felt.scaled(by: 1 / mean).mapEigenvalues { max($0, floor) }
        } else {
            sensitivity = nil
            metric = SymmetricMatrix(diagonal: Array(repeating: 1, count: box.count))
        }
        transform =
            if let grouping = layout.grouping, let measuredOn {
                try Self.transform(options, grouping, layout, box, metric, normalizer.normalize(measuredOn))
            } else {
                nil
            }
    }

    /// Of normalised latents those of this rank, as a quantiser of this design compares them with codes: `[n, G·d]`.
    func vectors(_ latents: SharedLatents) -> SharedRows {
        SharedRows(own: vectors(latents.own), of: latents.count, latents.ranks)
    }

    /// Normalised latents as a quantiser of this design compares them with codes: `[n, G·d]`.
    func vectors(_ latents: Latents) -> Tensor {
        transform?.vectors(latents) ?? latents.rows
    }

    /// What the sensitivity is measured for.
    static func box(for grouping: Grouping, _ shape: LatentShape) -> LatentBox {
        let side = if case .klt(let side) = grouping { side } else { 1 }
        return LatentBox(allChannelsOf: shape, side: side)
    }

    private static func transform(
        _ options: QuantizerOptions, _ grouping: Grouping, _ layout: GroupQuantizer.Layout, _ box: LatentBox, _ metric: SymmetricMatrix,
        _ latents: Latents
    ) throws(GroupQuantizer.LayoutError) -> VectorTransform {
        var transform = try VectorTransform(grouping, shape: box.shape, dimension: layout.dimension)
        if grouping.isTransform {
            let root = metric.mapEigenvalues { $0.squareRoot() }
            let basis = BalancedBasis(
                of: root.conjugating(SymmetricMatrix(momentsOf: box.rows(of: latents))), groups: transform.positions)
            let inverse = metric.mapEigenvalues { 1 / $0.squareRoot() }
            transform.transform(by: basis.rows(times: root), inverse: basis.columns(behind: inverse))
        } else {
            transform.weight(by: Tensor(metric.diagonal.map { Float($0.squareRoot()) }, shape: [box.shape.channels]))
        }
        if options.sharing == .one { transform.scale(by: deviations(of: transform.vectors(latents), transform.positions, d: layout.dimension)) }
        return transform
    }

    /// The deviation of each position's vectors: the geometric mean over their d numbers, which is what the density of codes follows where
    /// these differ much. A position whose numbers are all zero keeps 1.
    private static func deviations(of vectors: Tensor, _ positions: Int, d: Int) -> Tensor {
        let width = vectors.c / positions
        var squares = [Double](repeating: 0, count: positions * d)
        vectors.withPointer { x in
            for i in 0..<vectors.count { squares[i / width % positions * d + i % d] += Double(x[i]) * Double(x[i]) }
        }
        let count = Double(vectors.n * width / d)
        return Tensor(
            (0..<positions).map { position in
                let own = squares[position * d..<(position + 1) * d].filter { $0 > 0 }
                return own.isEmpty ? 1 : Float(exp(own.reduce(0) { $0 + log($1 / count) } / Double(2 * own.count)))
            }, shape: [positions])
    }
}
