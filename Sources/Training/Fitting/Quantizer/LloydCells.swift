import Compute
import TokenizerCore

/// The runs that are nearest to each code: how many, their sums and their errors, in double precision.
struct LloydCells {
    private let layout: GroupQuantizer.Layout
    /// `[codebooks · N]` records of count, weight, error, and d weighted sums.
    private let totals: [Double]
    private let record: Int

    /// Images whose codes are looked for between two questions whether to stop: less than a second's work, for any codebooks that a
    /// machine can hold. Few enough to stay in the cache until they are added up.
    private static let slice = 128
    /// Parts that are summed side by side where there are few codebooks, and about as many where there are more.
    private static let parts = 16

    /// - Parameter runs: `[n, T·d]`.
    /// - Returns: nil when a stop was requested before all were assigned.
    init?(of runs: Tensor, _ quantizer: GroupQuantizer, isStopRequested: () -> Bool) {
        let (layout, importance) = (quantizer.layout, quantizer.importance)
        record = layout.dimension + 3
        self.layout = layout
        let parts = max(1, Self.parts / layout.codebooks)
        // Neighbouring codebooks' runs and tokens lie on the same lines of the cache.
        let neighbours = max(1, layout.codebooks / (2 * Self.parts))
        let size = layout.codebooks * layout.codes * record
        var totals = [Double](repeating: 0, count: parts * size)
        for start in stride(from: 0, to: runs.n, by: Self.slice) {
            if isStopRequested() { return nil }
            let slice = runs.images(start..<min(start + Self.slice, runs.n))
            let tokens = quantizer.tokens(ofRuns: slice)
            totals.withUnsafeMutableBufferPointer { totals in
                let target = totals.baseAddress!
                Workers.forEach((layout.codebooks + neighbours - 1) / neighbours * parts) { piece in
                    let (first, part) = piece.quotientAndRemainder(dividingBy: parts)
                    let images = part * slice.n / parts..<(part + 1) * slice.n / parts
                    for codebook in first * neighbours..<min((first + 1) * neighbours, layout.codebooks) {
                        quantizer.add(slice, tokens, images: images, ofCodebook: codebook, importance: importance, to: target + part * size)
                    }
                }
            }
        }
        for i in size..<totals.count { totals[i % size] += totals[i] }
        totals.removeLast((parts - 1) * size)
        self.totals = totals
    }

    /// The sum of all weighted squared errors.
    var distortion: Double {
        stride(from: 2, to: totals.count, by: record).reduce(0) { $0 + totals[$1] }
    }

    var usage: CodeUsage {
        let cells = stride(from: 0, to: totals.count, by: record)
        return CodeUsage(layout, counts: cells.map { Int(totals[$0]) }, errors: cells.map { Float(totals[$0 + 2]) })
    }

    /// Moves every code that has runs towards their mean.
    ///
    /// - Parameters:
    ///   - codebooks: `[codebooks, N, d]`.
    ///   - step: how much of the way: 1 ends at the mean, more lies beyond it.
    func move(_ codebooks: UnsafeMutablePointer<Float>, step: Double) {
        let d = layout.dimension
        for cell in 0..<totals.count / record where totals[cell * record] > 0 {
            let (weight, sums) = (totals[cell * record + 1], cell * record + 3)
            for j in 0..<d {
                let mean = totals[sums + j] / weight
                codebooks[cell * d + j] = Float(mean + (step - 1) * (mean - Double(codebooks[cell * d + j])))
            }
        }
    }
}
