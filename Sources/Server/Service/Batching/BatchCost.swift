/// What a batch of n items costs, measured while serving: a·n + b seconds, where b is what a batch saves by being one.
///
/// On a processor that one image keeps busy, b is small, and a batch only makes its first image wait for its last. So the model decides
/// how many items pay; nobody has to know it beforehand, and a smaller machine or another model gets another answer.
///
/// Least squares over the batches so far, where each newer one counts a little more.
struct BatchCost: Sendable {
    private static let memory = 0.96
    /// A batch may cost this much more per item than the largest one, for the sake of those who wait for its end.
    private static let tolerance = 0.02
    /// Every so many batches are as large as they can be: a model that has seen one size alone knows nothing.
    private static let explorationPeriod = 16

    private var weight = 0.0
    private var sumItems = 0.0
    private var sumSquares = 0.0
    private var sumSeconds = 0.0
    private var sumProducts = 0.0
    private var batches = 0

    mutating func record(items: Int, duration: Duration) {
        let (n, seconds) = (Double(items), duration / .seconds(1))
        weight = weight * Self.memory + 1
        sumItems = sumItems * Self.memory + n
        sumSquares = sumSquares * Self.memory + n * n
        sumSeconds = sumSeconds * Self.memory + seconds
        sumProducts = sumProducts * Self.memory + n * seconds
        batches += 1
    }

    /// Seconds for each item, and for each batch; nil until batches of different sizes have been seen.
    var line: (perItem: Double, perBatch: Double)? {
        let spread = weight * sumSquares - sumItems * sumItems
        guard spread > 1e-3 * weight * weight else { return nil }
        let perItem = (weight * sumProducts - sumItems * sumSeconds) / spread
        return (perItem, (sumSeconds - perItem * sumItems) / weight)
    }

    /// The smallest batch whose items cost hardly more than those of the largest one.
    func preferredBatch(atMost most: Int) -> Int {
        guard let (a, b) = line, b > 0 else { return line == nil ? most : 1 }
        guard a > 0 else { return most }
        let bound = (1 + Self.tolerance) * (a + b / Double(most))
        return min(most, max(1, Int((b / (bound - a)).rounded(.up))))
    }

    /// How many items to take where `most` wait: as many as pay, and now and then more, so that the measurement stays one.
    func batch(atMost most: Int) -> Int {
        batches % Self.explorationPeriod == Self.explorationPeriod - 1 ? most : preferredBatch(atMost: most)
    }
}
