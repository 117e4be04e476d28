import Compute
import TokenizerCore

/// How often each code of each codebook was chosen, and the distortion that its vectors have.
package struct CodeUsage {
    private var chosen: CodeCounts
    /// Sums over the vectors that chose a code, `[codebooks][N]`, flat.
    private(set) var errors: [Float]

    package init(_ layout: GroupQuantizer.Layout) {
        self.init(layout, counts: [Int](repeating: 0, count: layout.codebooks * layout.codes))
    }

    package init(_ layout: GroupQuantizer.Layout, counts: [Int], errors: [Float]? = nil) {
        chosen = CodeCounts(layout, counts)
        self.errors = errors ?? [Float](repeating: 0, count: counts.count)
    }

    /// What ``tensor`` described.
    package init(_ layout: GroupQuantizer.Layout, restoring tensor: Tensor) {
        let values = tensor.values
        self.init(layout, counts: values.prefix(values.count / 2).map { Int($0) }, errors: Array(values.suffix(values.count / 2)))
    }

    /// The sum of the errors that the last stage leaves.
    var distortion: Double {
        let codebooks = chosen.layout.codebooks(ofStage: chosen.layout.stages - 1)
        return errors[range(ofCodebook: codebooks.lowerBound).lowerBound...].reduce(0.0) { $0 + Double($1) }
    }

    /// `[2, codebooks, N]`: the counts as floats, exact up to 2²⁴, and the errors.
    var tensor: Tensor { Tensor(counts.map(Float.init) + errors, shape: [2, chosen.layout.codebooks, chosen.layout.codes]) }

    package mutating func add(_ tokens: Tokens) {
        chosen.add(tokens)
    }

    /// Counts `tokens`, and their errors.
    mutating func add(_ tokens: Tokens, _ errors: Assignment.Errors) {
        add(tokens)
        for (position, index) in tokens.indices.enumerated() { self.errors[chosen.code(position, index)] += errors.perToken[position] }
    }

    /// `[codebooks][N]`, flat.
    var counts: [Int] { chosen.values }

    /// Where the counts of a codebook are.
    func range(ofCodebook codebook: Int) -> Range<Int> {
        chosen.range(ofCodebook: codebook)
    }

    func counts(ofCodebook codebook: Int) -> ArraySlice<Int> {
        counts[range(ofCodebook: codebook)]
    }

    /// The share of codes that were chosen at least once, over all codebooks.
    package var usedShare: Double { chosen.usedShare }

    /// 2 to the entropy of a codebook's use, averaged over codebooks: 1 when one code takes all, N when all are equally common.
    package var perplexity: Double { chosen.perplexity }
}
