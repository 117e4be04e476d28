import Compute

/// A mean over pictures and how far it can be trusted: the 95 % interval of the bootstrap, for which pictures, not crops, are drawn.
///
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13 (percentile intervals).
package struct PictureMean: Sendable, Hashable, Codable {
    /// Each picture counts the same, however many crops it has.
    package let mean: Double
    /// Ends of the interval; nil for a single picture.
    package let low, high: Double?
    package let pictures: Int

    private static let resamples = 1000
    /// Cut off on either side.
    private static let tail = 0.025

    /// - Parameters:
    ///   - values: one a crop.
    ///   - sources: which picture each is of.
    /// - Precondition: as many sources as values, at least one.
    package init<Source: Hashable>(_ values: [Double], of sources: [Source]) {
        precondition(!values.isEmpty && values.count == sources.count, "\(values.count) values of \(sources.count) crops have no mean")
        var places: [Source: Int] = [:]
        var sums: [(sum: Double, count: Int)] = []
        for (value, source) in zip(values, sources) {
            let place = places[source, default: sums.count]
            if place == sums.count {
                places[source] = place
                sums.append((0, 0))
            }
            sums[place] = (sums[place].sum + value, sums[place].count + 1)
        }
        self.init(ofPictures: sums.map { $0.sum / Double($0.count) })
    }

    private init(ofPictures means: [Double]) {
        pictures = means.count
        mean = means.reduce(0, +) / Double(means.count)
        guard means.count >= 2 else {
            (low, high) = (nil, nil)
            return
        }
        let sorted = Self.resampled(means).sorted()
        let cut = Int(Self.tail * Double(Self.resamples))
        (low, high) = (sorted[cut], sorted[Self.resamples - 1 - cut])
    }

    /// Means of as many pictures, drawn with replacement; equal numbers give equal draws.
    private static func resampled(_ means: [Double]) -> [Double] {
        var random = RandomSource(seed: 0, stream: RandomSource.stream(named: "bootstrap"))
        return (0..<resamples).map { _ in
            var sum = 0.0
            for _ in means { sum += means[random.below(means.count)] }
            return sum / Double(means.count)
        }
    }
}
