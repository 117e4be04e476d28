import ArgumentParser
import TokenizerCore

/// Which pictures are learned from, chosen by and reported on, as options of a command.
struct SplitOptions: ParsableArguments {
    @Option(
        help:
            "Percent of the pictures to train on, to choose by and to report on, dealt by their contents; the same for every step. (default: \(Split.usual.shares))"
    )
    var split: String?
    @Option(help: "Deals the pictures anew. (default: \(Split.usual.seed))")
    var splitSeed: UInt64?

    func validate() throws {
        _ = try given
    }

    /// Nil where nothing was said.
    var given: Split? {
        get throws {
            guard split != nil || splitSeed != nil else { return nil }
            let shares = split ?? Split.usual.shares
            guard let split = Split(shares: shares, seed: splitSeed ?? Split.usual.seed) else {
                throw ValidationError("--split is three whole numbers above 0 that add up to 100, such as \(Split.usual.shares), not \(shares)")
            }
            return split
        }
    }
}
