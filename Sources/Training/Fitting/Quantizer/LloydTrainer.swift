import Compute
import TokenizerCore

/// Lloyd's algorithm on cached latents: assign every run to its nearest code, move every code to the mean of its runs, repeat.
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
    private static let passesToTheMean = 2

    /// - Parameters:
    ///   - passes: how many there will be.
    ///   - reset: what becomes of codes without runs after each pass.
    init(_ quantizer: GroupQuantizer, passes: Int, reset: CodebookReset, seed: UInt64) {
        (self.quantizer, self.passes, self.reset) = (quantizer, passes, reset)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "lloyd"))
    }

    /// One pass over `runs`, `[n, T·d]`.
    /// - Parameter pass: its number, from 0: for the length of its step and the randomness of resets.
    /// - Returns: the distortion before the codes moved, see ``GroupQuantizer/distortion(_:_:)``; nil when a stop was requested meanwhile,
    ///   and then the codes are still those of the pass before.
    mutating func advance(on runs: Tensor, pass: Int, isStopRequested: () -> Bool) -> Double? {
        guard let cells = LloydCells(of: runs, quantizer, isStopRequested: isStopRequested) else { return nil }
        let step = pass < passes - Self.passesToTheMean ? Self.longStep : 1
        quantizer.codebooks.withMutablePointer { cells.move($0, step: step) }
        reset.apply(to: &quantizer, usage: cells.usage, random: root.substream(UInt64(pass)))
        return cells.distortion / Double(runs.count)
    }
}
