import Glibc
import TokenizerCore

/// How often each code of each codebook was chosen.
struct CodeUsage {
    private let layout: GroupQuantizer.Layout
    /// `[codebooks][N]`, flat.
    private(set) var counts: [Int]

    init(_ layout: GroupQuantizer.Layout) {
        self.layout = layout
        counts = [Int](repeating: 0, count: layout.codebooks * layout.codes)
    }

    /// What ``tensor`` described.
    init(_ layout: GroupQuantizer.Layout, restoring tensor: Tensor) {
        self.layout = layout
        counts = tensor.values.map { Int($0) }
    }

    /// The counts as floats, exact up to 2²⁴.
    var tensor: Tensor { Tensor(counts.map(Float.init), shape: [layout.codebooks, layout.codes]) }

    mutating func add(_ tokens: Tokens) {
        let perCodebook = layout.tokens / layout.codebooks
        for (position, index) in tokens.indices.enumerated() {
            counts[position % layout.tokens / perCodebook * layout.codes + Int(index)] += 1
        }
    }

    func counts(ofCodebook codebook: Int) -> ArraySlice<Int> {
        counts[codebook * layout.codes..<(codebook + 1) * layout.codes]
    }

    /// The share of codes that were chosen at least once, over all codebooks.
    var usedShare: Double {
        Double(counts.count { $0 > 0 }) / Double(counts.count)
    }

    /// 2 to the entropy of a codebook's use, averaged over codebooks: 1 when one code takes all, N when all are equally common.
    var perplexity: Double {
        let entropies = (0..<layout.codebooks).map { codebook in
            let counts = counts(ofCodebook: codebook)
            let total = Double(counts.reduce(0, +))
            return counts.reduce(0.0) { $1 > 0 ? $0 - Double($1) / total * log2(Double($1) / total) : $0 }
        }
        return entropies.reduce(0) { $0 + exp2($1) } / Double(entropies.count)
    }
}
