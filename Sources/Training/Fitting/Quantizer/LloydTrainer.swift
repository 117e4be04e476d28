import Compute
import TokenizerCore

/// Lloyd's algorithm on cached latents: assign every vector to its nearest code, move every code to the mean of its vectors, repeat.
///
/// All passes but the last two move a code beyond the mean, by ``longStep`` of the way: with any step below 2 the distortion falls in
/// each pass, and it falls as far in fewer of them. The last two end at the means.
///
/// Deterministic, sums in double precision, in a fraction of the time that gradient steps take.
///
/// Source: Modified K-means algorithm for vector quantizer design (Lee, Baek and Sung, 1997), which has the step.
struct LloydTrainer {
    private(set) var quantizer: GroupQuantizer
    private let passes: Int
    private let reset: CodebookReset
    private let root: RandomSource

    private static let longStep = 1.8
    static let passesToTheMean = 2

    /// - Parameters:
    ///   - passes: how many there will be.
    ///   - reset: what becomes of codes without vectors after each pass.
    init(_ quantizer: GroupQuantizer, passes: Int, reset: CodebookReset, seed: UInt64) {
        (self.quantizer, self.passes, self.reset) = (quantizer, passes, reset)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "lloyd"))
    }

    /// One pass over `vectors`, `[n, T·d]`.
    /// - Parameter pass: its number, from 0: for the length of its step and the randomness of resets.
    /// - Returns: the distortion before the codes moved, see ``Assignment/Errors/mean``; nil when a stop was requested meanwhile,
    ///   and then the codes are still those of the pass before.
    mutating func advance(on vectors: Tensor, pass: Int, isStopRequested: () -> Bool) -> Double? {
        guard let cells = LloydCells(of: vectors, quantizer, isStopRequested: isStopRequested) else { return nil }
        let step = pass < passes - Self.passesToTheMean ? Self.longStep : 1
        quantizer.codebooks.withMutablePointer { cells.move($0, step: step) }
        reset.apply(to: &quantizer, usage: cells.usage, random: root.substream(UInt64(pass)))
        return cells.distortion / Double(vectors.count)
    }
}

/// The vectors that are nearest to each code: how many, their sums and their errors, in double precision.
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

    /// - Parameter vectors: `[n, T·d]`.
    /// - Returns: nil when a stop was requested before all were assigned.
    init?(of vectors: Tensor, _ quantizer: GroupQuantizer, isStopRequested: () -> Bool) {
        let (layout, importance) = (quantizer.layout, quantizer.importance)
        record = layout.dimension + 3
        self.layout = layout
        let parts = max(1, Self.parts / layout.codebooks)
        // Neighbouring codebooks' vectors and tokens lie on the same lines of the cache.
        let neighbours = max(1, layout.codebooks / (2 * Self.parts))
        let size = layout.codebooks * layout.codes * record
        var totals = [Double](repeating: 0, count: parts * size)
        for start in stride(from: 0, to: vectors.n, by: Self.slice) {
            if isStopRequested() { return nil }
            let slice = vectors.images(start..<min(start + Self.slice, vectors.n))
            let tokens = quantizer.tokens(ofVectors: slice)
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

    /// Moves every code that has vectors towards their mean.
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

extension GroupQuantizer {
    /// Adds vectors to the records of the codes that they were assigned to, in double precision: what Lloyd's algorithm moves codes by.
    ///
    /// - Parameters:
    ///   - vectors: `[n, T·d]`.
    ///   - tokens: their codes.
    ///   - images: those of the n that are added.
    ///   - codebook: whose tokens are added.
    ///   - importance: what a squared difference of each token weighs, `[T]`; nil for 1. See ``importance``.
    ///   - totals: a record for each code of each codebook: count, weight, weighted squared error, and d weighted sums.
    package func add(
        _ vectors: Tensor, _ tokens: Tokens, images: Range<Int>, ofCodebook codebook: Int, importance: [Float]?,
        to totals: UnsafeMutablePointer<Double>
    ) {
        let (d, codes, perImage) = (layout.dimension, layout.codes, layout.tokens)
        precondition(
            vectors.shape == [tokens.count, perImage * d], "\(tokens.count) images of \(perImage) tokens are not vectors of \(vectors.shape)")
        let perCodebook = perImage / layout.codebooks
        let kernels = ComputeContext.current.kernels
        vectors.withPointer { vectors in
            codebooks.withPointer { codebooks in
                tokens.indices.withUnsafeBufferPointer { indices in
                    for token in codebook * perCodebook..<(codebook + 1) * perCodebook {
                        let first = images.lowerBound * perImage + token
                        kernels.add_to_cells(
                            vectors + first * d, indices.baseAddress! + first, images.count, perImage, d, codebooks + codebook * codes * d,
                            Double(importance?[token] ?? 1), totals + codebook * codes * (d + 3))
                    }
                }
            }
        }
    }
}
