import TokenizerCore

/// Lloyd's algorithm on cached latents: assign every run to its nearest code, move every code to the mean of its runs, repeat.
///
/// Deterministic, sums in double precision, in a fraction of the time that gradient steps take.
struct LloydTrainer {
    private(set) var quantizer: GroupQuantizer
    private let reset: CodebookReset
    private let root: RandomSource

    /// - Parameter reset: what becomes of codes without runs after each pass.
    init(_ quantizer: GroupQuantizer, reset: CodebookReset, seed: UInt64) {
        (self.quantizer, self.reset) = (quantizer, reset)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "lloyd"))
    }

    /// One pass over `runs`, `[n, T·d]`.
    /// - Parameter pass: its number, for the randomness of resets.
    /// - Returns: the distortion before the codes moved, see ``GroupQuantizer/distortion(_:_:)``; nil when a stop was requested meanwhile,
    ///   and then the codes are still those of the pass before.
    mutating func advance(on runs: Tensor, pass: Int, isStopRequested: () -> Bool) -> Double? {
        guard let cells = LloydCells(of: runs, quantizer, isStopRequested: isStopRequested) else { return nil }
        let d = quantizer.layout.dimension
        quantizer.codebooks.withMutablePointer { cells.writeMeans(to: $0, d: d) }
        reset.apply(to: &quantizer, usage: cells.usage, random: root.substream(UInt64(pass)))
        return cells.distortion / Double(runs.count)
    }
}
