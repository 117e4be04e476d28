import Compute
import Glibc
import Jobs
import Networks
import TokenizerCore

/// What a quantiser's distortion may be compared with: what theory allows Gaussian latents at its rate. All in the units of
/// ``LatentQuality/distortion``.
package struct QuantizerBounds: Codable, Equatable, Sendable {
    /// White noise of the same variance, by codes of any length: no correlation is used.
    package let shannon: Double
    /// White noise of the same variance, by ideal codes of d numbers.
    package let zador: Double
    /// Ideal codes of d numbers for the measured covariance of this quantiser's own vectors: what its grouping can use.
    package let groupedZador: Double
    /// The measured covariance of boxes of all channels, by codes of any length: what any grouping inside such boxes can use.
    package let waterFilling: Double
    /// The side of these boxes.
    package let boxSide: Int

    /// One line for a person. What white latents would allow says something only about a quantiser that does no better: correlated ones allow
    /// less, and where the error is below it, that is what was used.
    /// - Parameter distortion: what is beside it.
    func summary(beside distortion: Double) -> String {
        let white =
            "white ones of equal variance would allow \(Figure.text(shannon)) by codes of any length (Shannon), \(Figure.text(zador)) by these"
        let below = "white ones are no comparison: their bound, \(Figure.text(shannon)), lies above the error, because these are correlated"
        return "Gaussian latents of this covariance would allow \(Figure.text(waterFilling)) by codes of any length (water-filling, boxes of "
            + "\(boxSide)×\(boxSide) sites), \(Figure.text(groupedZador)) by ideal codes in these groups (Zador); \(distortion >= shannon ? white : below)"
    }

    private static let largestBox = 512
    /// With fewer boxes per element the smallest variances come out too small.
    private static let samplesPerElement = 64
    /// With fewer the smallest variances are mostly chance, and below as many as elements nothing.
    private static let fewestSamplesPerElement = 2
    /// Of the mean one: below it a variance is rounding.
    private static let leastVariance = 1e-9

    /// - Parameter latents: normalised: those that the covariance is measured on, a few thousand.
    /// - Returns: nil where they are too few, or vary in too few directions, for bounds that mean anything.
    package init?(_ design: QuantizerDesign, latents: Latents) {
        let layout = design.layout
        let rate = log2(Double(layout.codes)) * Double(layout.stages) / Double(layout.dimension)
        boxSide = Self.side(for: latents.shape, multipleOf: design.side, images: latents.count)
        let box = LatentBox(allChannelsOf: latents.shape, side: boxSide)
        let rows = box.rows(of: latents)
        guard rows.rows >= Self.fewestSamplesPerElement * box.count else { return nil }
        let covariance = SymmetricMatrix(momentsOf: rows)
        let felt = design.metric(for: box).mapEigenvalues { $0.squareRoot() }.conjugating(covariance)
        let (variance, variances) = (felt.trace / Double(felt.n), felt.eigen().values)
        guard variances.allSatisfy({ $0 > Self.leastVariance * variance }), let vectorVariance = Self.meanVectorVariance(design, latents) else {
            return nil
        }
        shannon = variance * RateDistortion.shannon(rate: rate)
        zador = variance * RateDistortion.zador(d: layout.dimension, rate: rate)
        waterFilling = RateDistortion.waterFilling(variances: variances, bits: rate * Double(box.count))
        groupedZador = vectorVariance * RateDistortion.zador(d: layout.dimension, rate: rate)
    }

    /// The mean over positions of det(Σ)^(1/d), Σ being the covariance of the position's vectors in the units of the distortion; nil where
    /// one's is not known.
    private static func meanVectorVariance(_ design: QuantizerDesign, _ latents: Latents) -> Double? {
        let (layout, shape, vectors) = (design.layout, latents.shape, design.vectors(latents))
        let isGrouped = Grouping.strip.problem(for: shape, d: layout.dimension) == nil
        let positions = design.transform?.positions ?? (isGrouped ? Grouping.strip.positions(of: shape, d: layout.dimension) : 1)
        let importance = design.transform?.importance ?? Array(repeating: 1, count: positions)
        let perPosition = vectors.c / positions
        let samples = vectors.n * perPosition / layout.dimension
        guard samples >= fewestSamplesPerElement * layout.dimension else { return nil }
        var sum = 0.0
        for position in 0..<positions {
            let own = vectors.columns(position * perPosition..<(position + 1) * perPosition).reshaped([samples, layout.dimension])
            let variances = SymmetricMatrix(momentsOf: own).eigen().values
            let mean = variances.reduce(0, +) / Double(layout.dimension)
            guard variances.allSatisfy({ $0 > leastVariance * mean }) else { return nil }
            sum += Double(importance[position]) * exp(variances.reduce(0) { $0 + log($1) } / Double(layout.dimension))
        }
        return sum / Double(positions)
    }

    /// The largest of 4, 2 and 1 times `side` whose boxes fit, and are small and many enough for their covariance to be measured.
    private static func side(for shape: LatentShape, multipleOf side: Int, images: Int) -> Int {
        [4, 2].map { $0 * side }.first {
            let box = LatentBox(allChannelsOf: shape, side: $0)
            return box.isWhole && box.count <= largestBox && images * box.places >= samplesPerElement * box.count
        } ?? side
    }
}

extension QuantizerDesign {
    /// ``metric`` for a box whose side is a multiple of ``side``: the parts of such a box do not interact.
    fileprivate func metric(for box: LatentBox) -> SymmetricMatrix {
        let n = box.count
        var values = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            let (a, partA) = place(i, box)
            for j in 0..<n {
                let (b, partB) = place(j, box)
                if partA == partB { values[i * n + j] = metric[a, b] }
            }
        }
        return SymmetricMatrix(values, n: n)
    }

    /// Where element `index` of the large box lies: in which part, and where in it.
    private func place(_ index: Int, _ box: LatentBox) -> (element: Int, part: Int) {
        let (channel, site) = index.quotientAndRemainder(dividingBy: box.height * box.width)
        let (y, x) = site.quotientAndRemainder(dividingBy: box.width)
        return ((channel * side + y % side) * side + x % side, y / side * (box.width / side) + x / side)
    }
}

extension Tensor {
    /// Columns `range` of a matrix.
    fileprivate func columns(_ range: Range<Int>) -> Tensor {
        var part = Tensor(uninitialized: [rows, range.count])
        part.withMutablePointer { target in
            withPointer { source in
                for row in 0..<rows { (target + row * range.count).update(from: source + row * c + range.lowerBound, count: range.count) }
            }
        }
        return part
    }
}
