import Compute
import Jobs

/// The Fréchet distance between drawn pictures and their originals over the features of a classifier that is not the one FID is defined by, and how
/// much it depends on which pictures were taken.
package struct ClassifierDistance: Codable, Equatable, Sendable {
    /// Names the network: figures of different ones do not compare.
    package let network: String
    /// As ``FeatureDistance/frechet``, and as much too large for few pictures.
    package let frechet: Double
    /// Ends of a 95 % interval: distances of as many pictures drawn from these with replacement lie so far from their own mean. Drawing twice adds
    /// to the bias of few pictures, which the interval leaves out. Nil beyond ``mostResampled`` pictures, where it is narrow and would take long.
    package let low, high: Double?
    package let images: Int

    /// Fewer pictures have no distribution to speak of.
    package static let fewestImages = 10
    static let mostResampled = 500
    private static let resamples = 200
    /// Cut off on either side.
    private static let tail = 0.025

    /// - Parameters:
    ///   - drawn: a picture's features per row, `[n, d]`.
    ///   - originals: those of the same pictures before.
    init(_ network: String, _ drawn: Tensor, _ originals: Tensor) {
        let (a, b) = (FeatureSet(drawn), FeatureSet(originals))
        (self.network, images) = (network, drawn.n)
        frechet = max(0, a.frechetDistance(to: b))
        guard drawn.n <= Self.mostResampled else {
            (low, high) = (nil, nil)
            return
        }
        let found = Self.resampled(FeaturePairs(a, b)).sorted()
        let (mean, cut) = (found.reduce(0, +) / Double(found.count), Int(Self.tail * Double(Self.resamples)))
        low = max(0, frechet + found[cut] - mean)
        high = max(0, frechet + found[Self.resamples - 1 - cut] - mean)
    }

    private static func resampled(_ pairs: FeaturePairs) -> [Double] {
        let random = RandomSource(seed: 0, stream: RandomSource.stream(named: "bootstrap"))
        var found = [Double](repeating: 0, count: resamples)
        found.withUnsafeMutableBufferPointer { found in
            let found = found.baseAddress!
            Workers.forEach(resamples) { index in
                var random = random.substream(UInt64(index))
                found[index] = pairs.frechetDistance(of: (0..<pairs.count).map { _ in random.below(pairs.count) })
            }
        }
        return found
    }

    /// As a line of text has it.
    package var text: String {
        let interval = low.map { " [\(Figure.decimals($0, 2)), \(Figure.decimals(high ?? $0, 2))]" } ?? ""
        return "\(network) \(Figure.decimals(frechet, 2))\(interval) over \(Figure.count(images, "image"))"
    }
}

/// Inner products of the features of pictures and their originals, from which the distance of any choice of them follows.
struct FeaturePairs: Sendable {
    let count: Int
    /// Of drawn with drawn, originals with originals (only the diagonals and sums are of use), and drawn with originals: `[n, n]`, flat.
    private let drawn, originals, cross: [Double]

    init(_ a: FeatureSet, _ b: FeatureSet) {
        count = a.n
        (drawn, originals, cross) = (a.products(a), b.products(b), a.products(b))
    }

    /// - Parameter places: of the pictures; one may be there several times.
    func frechetDistance(of places: [Int]) -> Double {
        var weights = [Double](repeating: 0, count: count)
        for place in places { weights[place] += 1 / Double(places.count) }
        let (a, b, c) = (centred(drawn, weights), centred(originals, weights), centred(cross, weights))
        let met = weights.indices.filter { weights[$0] > 0 }
        let spread = met.reduce(0) { $0 + weights[$1] * (a.values[$1 * count + $1] + b.values[$1 * count + $1]) }
        // A picture that is there k times is one whose features are √k times as far from the mean.
        let m = met.count
        var matrix = [Double](repeating: 0, count: m * m)
        for (i, row) in met.enumerated() {
            for (j, column) in met.enumerated() {
                matrix[i * m + j] = c.values[row * count + column] * (weights[row] * weights[column]).squareRoot()
            }
        }
        let unbiased = Double(places.count) / Double(places.count - 1)
        return a.mean + b.mean - 2 * c.mean + (spread - 2 * FeatureSet(matrix, n: m, d: m).nuclearNorm) * unbiased
    }

    /// Products of the features less their weighted means, and the product of those means.
    private func centred(_ products: [Double], _ weights: [Double]) -> (values: [Double], mean: Double) {
        var (rows, columns) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        for i in 0..<count {
            for j in 0..<count {
                rows[i] += products[i * count + j] * weights[j]
                columns[j] += products[i * count + j] * weights[i]
            }
        }
        let mean = zip(rows, weights).reduce(0) { $0 + $1.0 * $1.1 }
        return ((0..<count * count).map { products[$0] - rows[$0 / count] - columns[$0 % count] + mean }, mean)
    }
}
