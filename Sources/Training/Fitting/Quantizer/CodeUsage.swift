import Compute
import Glibc
import TokenizerCore

/// How often each code of each codebook was chosen, and the distortion that its vectors have.
package struct CodeUsage {
    private let layout: GroupQuantizer.Layout
    /// `[codebooks][N]`, flat.
    private(set) var counts: [Int]
    /// Sums over the vectors that chose a code, `[codebooks][N]`, flat.
    private(set) var errors: [Float]

    package init(_ layout: GroupQuantizer.Layout) {
        self.init(layout, counts: [Int](repeating: 0, count: layout.codebooks * layout.codes))
    }

    package init(_ layout: GroupQuantizer.Layout, counts: [Int], errors: [Float]? = nil) {
        (self.layout, self.counts) = (layout, counts)
        self.errors = errors ?? [Float](repeating: 0, count: counts.count)
    }

    /// What ``tensor`` described.
    package init(_ layout: GroupQuantizer.Layout, restoring tensor: Tensor) {
        let values = tensor.values
        self.init(layout, counts: values.prefix(values.count / 2).map { Int($0) }, errors: Array(values.suffix(values.count / 2)))
    }

    /// `[2, codebooks, N]`: the counts as floats, exact up to 2²⁴, and the errors.
    var tensor: Tensor { Tensor(counts.map(Float.init) + errors, shape: [2, layout.codebooks, layout.codes]) }

    package mutating func add(_ tokens: Tokens) {
        let first = (0..<layout.tokens).map { code($0, 0) }
        for start in stride(from: 0, to: tokens.indices.count, by: layout.tokens) {
            for token in 0..<layout.tokens { counts[first[token] + Int(tokens.indices[start + token])] += 1 }
        }
    }

    /// Counts `tokens`, and their errors.
    mutating func add(_ tokens: Tokens, _ errors: Assignment.Errors) {
        add(tokens)
        for (position, index) in tokens.indices.enumerated() { self.errors[code(position, index)] += errors.perToken[position] }
    }

    /// Where the counts of the code `index` of a token are.
    private func code(_ position: Int, _ index: Int32) -> Int {
        position % layout.tokens / (layout.tokens / layout.codebooks) * layout.codes + Int(index)
    }

    /// Where the counts of a codebook are.
    func range(ofCodebook codebook: Int) -> Range<Int> {
        codebook * layout.codes..<(codebook + 1) * layout.codes
    }

    func counts(ofCodebook codebook: Int) -> ArraySlice<Int> {
        counts[range(ofCodebook: codebook)]
    }

    /// The share of codes that were chosen at least once, over all codebooks.
    package var usedShare: Double {
        Double(counts.count { $0 > 0 }) / Double(counts.count)
    }

    /// 2 to the entropy of a codebook's use, averaged over codebooks: 1 when one code takes all, N when all are equally common.
    package var perplexity: Double {
        let entropies = (0..<layout.codebooks).map { codebook in
            let counts = counts(ofCodebook: codebook)
            let total = Double(counts.reduce(0, +))
            return counts.reduce(0.0) { $1 > 0 ? $0 - Double($1) / total * log2(Double($1) / total) : $0 }
        }
        return entropies.reduce(0) { $0 + exp2($1) } / Double(entropies.count)
    }
}
