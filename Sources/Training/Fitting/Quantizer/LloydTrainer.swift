import Compute
import Ranks
import TokenizerCore

/// Lloyd's algorithm on cached latents: assign every vector to its nearest code, move every code to the mean of its vectors, repeat.
///
/// A quantiser of several stages has one fitted after the other, each in as many passes: its first codes are chosen among what the finished stages
/// before it leave of vectors, and only its codes move, to the means of that. Were all moved in every pass, a stage would move to the means of what
/// the ones before, which move too, leave no more.
///
/// All passes of a stage but its last two move a code beyond the mean, by ``longStep`` of the way: with any step below 2 the distortion falls in
/// each pass, and it falls as far in fewer of them. The last two end at the means.
///
/// Deterministic, sums in double precision, in a fraction of the time that gradient steps take.
///
/// Source: Modified K-means algorithm for vector quantizer design (Lee, Baek and Sung, 1997), which has the step.
struct LloydTrainer {
    private(set) var quantizer: GroupQuantizer
    /// Of each stage.
    private let passes: Int
    private let start: QuantizerOptions.Start
    private let reset: CodebookReset
    private let seed: UInt64
    private let ranks: RankGroup
    private let root: RandomSource
    /// What the finished stages leave, for as long as the next one's passes last.
    private var left: (stage: Int, vectors: SharedRows)?

    private static let longStep = 1.8
    static let passesToTheMean = 2

    /// - Parameters:
    ///   - quantizer: with the codes that the first stage begins with. Those of stages that have not begun should be zeros: then what the
    ///     quantiser leaves is, all along, what its finished stages do.
    ///   - passes: how many there will be of each stage.
    ///   - start: how the first codes of further stages are chosen.
    ///   - reset: what becomes of codes without vectors after each pass.
    ///   - ranks: who shares the vectors; the result does not depend on how many they are.
    init(
        _ quantizer: GroupQuantizer, passes: Int, start: QuantizerOptions.Start = .sample, reset: CodebookReset, seed: UInt64,
        ranks: RankGroup = .alone
    ) {
        (self.quantizer, self.passes, self.start, self.reset, self.seed, self.ranks) = (quantizer, passes, start, reset, seed, ranks)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "lloyd"))
    }

    /// One pass over `vectors`, `[n, G·d]`, all of them on every rank.
    mutating func advance(on vectors: Tensor, pass: Int, isStopRequested: () -> Bool) -> Double? {
        advance(on: SharedRows(of: vectors, ranks), pass: pass, isStopRequested: isStopRequested)
    }

    /// One pass over `vectors`, `[n, G·d]`, of which each rank adds up its own.
    /// - Parameter pass: its number among those of all stages, from 0: which of them moves, for the length of its step, and the randomness of
    ///   resets.
    /// - Returns: the distortion that the stage left before its codes moved, see ``Assignment/Errors/mean``; nil when a stop was requested
    ///   meanwhile: then no code has moved, and a stage that was about to begin will begin anew.
    mutating func advance(on vectors: SharedRows, pass: Int, isStopRequested: () -> Bool) -> Double? {
        let (stage, passOfStage) = pass.quotientAndRemainder(dividingBy: passes)
        if stage > 0 && passOfStage == 0 {
            guard quantizer.chooseCodes(ofStage: stage, start, from: vectors, seed: seed, isStopRequested: isStopRequested) else { return nil }
        }
        guard let left = left(for: stage, of: vectors, isStopRequested),
            let cells = LloydCells(of: left, quantizer.alone(stage), isStopRequested: isStopRequested)
        else { return nil }
        let step = passOfStage < passes - Self.passesToTheMean ? Self.longStep : 1
        let random = root.substream(UInt64(pass))
        quantizer.change(stage) { [reset] quantizer in
            quantizer.codebooks.withMutablePointer { cells.move($0, step: step) }
            reset.apply(to: &quantizer, usage: cells.usage, random: random)
        }
        return cells.distortion / Double(vectors.count * vectors.own.c)
    }

    /// - Returns: what `stage` has to quantise; nil when a stop was requested before all of it was known.
    private mutating func left(for stage: Int, of vectors: SharedRows, _ isStopRequested: () -> Bool) -> SharedRows? {
        guard stage > 0 else { return vectors }
        if let left, left.stage == stage { return left.vectors }
        left = nil
        let found = vectors.changed(isStopRequested: isStopRequested) { [quantizer] in quantizer.left(of: $0, afterStages: stage) }
        left = found.map { (stage, $0) }
        return found
    }
}

/// The vectors, or what earlier stages left of them, that are nearest to each code: how many, their sums and their errors, in double precision.
struct LloydCells {
    private let layout: GroupQuantizer.Layout
    /// `[codebooks · N]` records of count, weight, error, and d weighted sums.
    private let totals: [Double]
    private let record: Int

    /// Images whose codes are looked for between two questions whether to stop: less than a second's work, for any codebooks that a
    /// machine can hold. Few enough to stay in the cache until they are added up.
    private static let slice = SharedRows.imagesOfSlice

    /// - Parameter vectors: `[n, G·d]`. The first rank adds what it finds of its own at once, the others when the sums come to them, so that
    ///   these are added in the one order, however many ranks there are.
    /// - Returns: nil when a stop was requested, of any rank, before all were assigned.
    init?(of vectors: SharedRows, _ quantizer: GroupQuantizer, isStopRequested: () -> Bool) {
        let (own, ranks) = (vectors.own, vectors.ranks)
        let (pieces, importance) = (LloydPieces(quantizer.layout), quantizer.importance)
        (layout, record) = (quantizer.layout, pieces.record)
        var totals = [Double](repeating: 0, count: pieces.parts * pieces.size)
        var waiting: [(left: Tensor, tokens: Tokens)] = []
        var isStopped = false
        totals.withUnsafeMutableBufferPointer { totals in
            let target = totals.baseAddress!
            func add(_ piece: Int, _ left: Tensor, _ tokens: Tokens) {
                let (part, codebooks) = pieces[piece]
                let images = part * left.n / pieces.parts..<(part + 1) * left.n / pieces.parts
                for codebook in codebooks {
                    quantizer.add(left, tokens, images: images, ofCodebook: codebook, importance: importance, to: target + part * pieces.size)
                }
            }
            for first in stride(from: 0, to: own.n, by: Self.slice) {
                isStopped = isStopRequested()
                if isStopped { break }
                let slice = own.images(first..<min(first + Self.slice, own.n))
                let tokens = quantizer.tokens(ofVectors: slice)
                let left = quantizer.remainders(of: slice, along: tokens)
                if ranks.isFirst { Workers.forEach(pieces.count) { add($0, left, tokens) } } else { waiting.append((left, tokens)) }
            }
            isStopped = ranks.any(isStopped)
            guard !isStopped else { return }
            ranks.addInOrder(totals, buckets: pieces.buckets.map(pieces.range), spreads: false) { bucket in
                let added = pieces.buckets[bucket]
                Workers.forEach(added.count) { piece in
                    for (left, tokens) in waiting { add(added.lowerBound + piece, left, tokens) }
                }
            }
        }
        if isStopped { return nil }
        for i in pieces.size..<totals.count { totals[i % pieces.size] += totals[i] }
        totals.removeLast((pieces.parts - 1) * pieces.size)
        // Only the last rank has seen them all.
        ranks.broadcast(&totals, from: ranks.count - 1)
        self.totals = totals
    }

    /// The sum of all weighted squared errors that the last stage leaves.
    var distortion: Double {
        let first = layout.codebooks(ofStage: layout.stages - 1).lowerBound * layout.codes
        return stride(from: first * record + 2, to: totals.count, by: record).reduce(0) { $0 + totals[$1] }
    }

    var usage: CodeUsage {
        let cells = stride(from: 0, to: totals.count, by: record)
        return CodeUsage(layout, counts: cells.map { Int(totals[$0]) }, errors: cells.map { Float(totals[$0 + 2]) })
    }

    /// Of one code: how many vectors it has, their weight, and d weighted sums.
    subscript(cell: Int) -> [Double] {
        let first = cell * record
        return [totals[first], totals[first + 1]] + totals[first + 3..<first + record]
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

/// How the sums of a pass are cut, in a way that depends on the layout alone: into parts of every slice, which are summed side by side where
/// there are few codebooks, and into groups of codebooks. A piece is one group's sums in one part.
private struct LloydPieces {
    /// Parts where there is one codebook, and about as many groups where there are more.
    private static let parts = 16
    /// Pieces that go from rank to rank together.
    private static let bucket = 4

    /// Numbers of a code's record, and of a part.
    let record, size: Int
    let parts: Int
    private let layout: GroupQuantizer.Layout
    /// Codebooks of a group: neighbours, whose vectors and tokens lie on the same lines of the cache.
    private let neighbours: Int

    init(_ layout: GroupQuantizer.Layout) {
        self.layout = layout
        record = layout.dimension + 3
        size = layout.codebooks * layout.codes * record
        parts = max(1, Self.parts / layout.codebooks)
        neighbours = max(1, layout.codebooks / (2 * Self.parts))
    }

    private var groups: Int { (layout.codebooks + neighbours - 1) / neighbours }
    var count: Int { parts * groups }

    subscript(piece: Int) -> (part: Int, codebooks: Range<Int>) {
        let (part, group) = piece.quotientAndRemainder(dividingBy: groups)
        return (part, group * neighbours..<min((group + 1) * neighbours, layout.codebooks))
    }

    var buckets: [Range<Int>] {
        stride(from: 0, to: count, by: Self.bucket).map { $0..<min($0 + Self.bucket, count) }
    }

    /// Where the sums of pieces in a row are among those of all parts.
    func range(_ pieces: Range<Int>) -> Range<Int> {
        func start(_ piece: Int) -> Int {
            let (part, codebooks) = self[piece]
            return part * size + codebooks.lowerBound * layout.codes * record
        }
        return start(pieces.lowerBound)..<(pieces.upperBound == count ? parts * size : start(pieces.upperBound))
    }
}

extension GroupQuantizer {
    /// Adds vectors to the records of the codes that they were assigned to, in double precision: what Lloyd's algorithm moves codes by.
    ///
    /// - Parameters:
    ///   - vectors: what each token's code was nearest to, `[n, T·d]`.
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
