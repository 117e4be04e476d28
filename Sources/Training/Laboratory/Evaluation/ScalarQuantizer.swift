/// The best quantiser of numbers to 2^b levels: Lloyd and Max's, on given numbers.
struct ScalarQuantizer {
    /// In ascending order.
    let levels: [Float]
    /// The sum of squared errors over the numbers it was made for.
    let distortion: Double

    private static let passes = 40

    /// - Parameters:
    ///   - sorted: numbers in ascending order.
    ///   - sums: their running sums, starting with 0, and those of their squares.
    init(_ sorted: [Float], sums: [Double], squares: [Double], bits: Int) {
        let (count, n) = (1 << bits, sorted.count)
        var levels = (0..<count).map { sorted[min(n - 1, (2 * $0 + 1) * n / (2 * count))] }
        var bounds: [Int] = []
        for _ in 0..<Self.passes {
            bounds = [0] + (1..<count).map { Self.firstIndex(in: sorted, atLeast: (levels[$0 - 1] + levels[$0]) / 2) } + [n]
            for level in 0..<count where bounds[level + 1] > bounds[level] {
                levels[level] = Float((sums[bounds[level + 1]] - sums[bounds[level]]) / Double(bounds[level + 1] - bounds[level]))
            }
        }
        self.levels = levels
        distortion = (0..<count).reduce(0) { total, level in
            let (from, to, value) = (bounds[level], bounds[level + 1], Double(levels[level]))
            return total + squares[to] - squares[from] - 2 * value * (sums[to] - sums[from]) + Double(to - from) * value * value
        }
    }

    /// The nearest level.
    func callAsFunction(_ x: Float) -> Float {
        let above = Self.firstIndex(in: levels, atLeast: x)
        guard above > 0 else { return levels[0] }
        guard above < levels.count else { return levels[levels.count - 1] }
        return x - levels[above - 1] < levels[above] - x ? levels[above - 1] : levels[above]
    }

    private static func firstIndex(in sorted: [Float], atLeast x: Float) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < x { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
