import TokenizerCore

/// The runs that are nearest to each code: how many, their sums and their errors, in double precision.
struct LloydCells {
    private let layout: GroupQuantizer.Layout
    /// `[codebooks · N]` records of count, weight, error, and d weighted sums.
    private let totals: [Double]
    private let record: Int

    /// Images that are assigned at once, to bound memory.
    private static let batch = 1024
    /// Images whose codes are looked for between two questions whether to stop: less than a second's work, for any codebooks that a
    /// machine can hold.
    private static let slice = 128
    /// Parts that are summed side by side where there are few codebooks.
    private static let parts = 16

    /// - Parameter runs: `[n, T·d]`.
    /// - Returns: nil when a stop was requested before all were assigned.
    init?(of runs: Tensor, _ quantizer: GroupQuantizer, isStopRequested: () -> Bool) {
        let layout = quantizer.layout
        record = layout.dimension + 3
        self.layout = layout
        let parts = max(1, Self.parts / layout.codebooks)
        let size = layout.codebooks * layout.codes * record
        var totals = [Double](repeating: 0, count: parts * size)
        for start in stride(from: 0, to: runs.n, by: Self.batch) {
            let batch = runs.images(start..<min(start + Self.batch, runs.n))
            guard let tokens = Self.tokens(of: batch, quantizer, isStopRequested) else { return nil }
            totals.withUnsafeMutableBufferPointer { totals in
                let target = totals.baseAddress!
                Workers.forEach(layout.codebooks * parts) { piece in
                    let (codebook, part) = piece.quotientAndRemainder(dividingBy: parts)
                    let images = part * batch.n / parts..<(part + 1) * batch.n / parts
                    Self.add(batch, tokens, images, codebook, quantizer, to: target + part * size)
                }
            }
        }
        for i in size..<totals.count { totals[i % size] += totals[i] }
        self.totals = Array(totals.prefix(size))
    }

    private static func tokens(of runs: Tensor, _ quantizer: GroupQuantizer, _ isStopRequested: () -> Bool) -> Tokens? {
        var indices: [Int32] = []
        indices.reserveCapacity(runs.n * quantizer.layout.tokens)
        for start in stride(from: 0, to: runs.n, by: slice) {
            if isStopRequested() { return nil }
            indices += quantizer.tokens(ofRuns: runs.images(start..<min(start + slice, runs.n))).indices
        }
        return Tokens(tokensPerImage: quantizer.layout.tokens, indices: indices)
    }

    private static func add(
        _ runs: Tensor, _ tokens: Tokens, _ images: Range<Int>, _ codebook: Int, _ quantizer: GroupQuantizer,
        to totals: UnsafeMutablePointer<Double>
    ) {
        let (layout, importance) = (quantizer.layout, quantizer.importance)
        let (d, perCodebook) = (layout.dimension, layout.tokens / layout.codebooks)
        runs.withPointer { runs in
            quantizer.codebooks.withPointer { codebooks in
                tokens.indices.withUnsafeBufferPointer { indices in
                    for image in images {
                        for token in codebook * perCodebook..<(codebook + 1) * perCodebook {
                            let position = image * layout.tokens + token
                            let cell = codebook * layout.codes + Int(indices[position])
                            let (run, code, total) = (runs + position * d, codebooks + cell * d, totals + cell * (d + 3))
                            let weight = Double(importance?[token] ?? 1)
                            total[0] += 1
                            total[1] += weight
                            for j in 0..<d {
                                let difference = Double(run[j] - code[j])
                                total[2] += weight * difference * difference
                                total[3 + j] += weight * Double(run[j])
                            }
                        }
                    }
                }
            }
        }
    }

    /// The sum of all weighted squared errors.
    var distortion: Double {
        stride(from: 2, to: totals.count, by: record).reduce(0) { $0 + totals[$1] }
    }

    var usage: CodeUsage {
        let cells = stride(from: 0, to: totals.count, by: record)
        return CodeUsage(layout, counts: cells.map { Int(totals[$0]) }, errors: cells.map { Float(totals[$0 + 2]) })
    }

    /// Moves every code that has runs to their mean.
    /// - Parameter codebooks: `[codebooks, N, d]`.
    func writeMeans(to codebooks: UnsafeMutablePointer<Float>, d: Int) {
        for cell in 0..<totals.count / record where totals[cell * record] > 0 {
            for j in 0..<d { codebooks[cell * d + j] = Float(totals[cell * record + 3 + j] / totals[cell * record + 1]) }
        }
    }
}
