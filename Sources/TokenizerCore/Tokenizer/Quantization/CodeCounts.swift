import Glibc

/// How often each code of each codebook was chosen.
package struct CodeCounts: Sendable {
    package let layout: GroupQuantizer.Layout
    /// `[codebooks][N]`, flat.
    package private(set) var values: [Int]

    package init(_ layout: GroupQuantizer.Layout) {
        self.init(layout, [Int](repeating: 0, count: layout.codebooks * layout.codes))
    }

    /// - Parameter values: `[codebooks][N]`, flat.
    package init(_ layout: GroupQuantizer.Layout, _ values: [Int]) {
        (self.layout, self.values) = (layout, values)
    }

    package mutating func add(_ tokens: Tokens) {
        let first = (0..<layout.tokens).map { code($0, 0) }
        for start in stride(from: 0, to: tokens.indices.count, by: layout.tokens) {
            for token in 0..<layout.tokens { values[first[token] + Int(tokens.indices[start + token])] += 1 }
        }
    }

    /// Where the count of the code `index` of a token is.
    package func code(_ position: Int, _ index: Int32) -> Int {
        position % layout.tokens / (layout.tokens / layout.codebooks) * layout.codes + Int(index)
    }

    /// Where the counts of a codebook are.
    package func range(ofCodebook codebook: Int) -> Range<Int> {
        codebook * layout.codes..<(codebook + 1) * layout.codes
    }

    /// The share of codes that were chosen at least once, over all codebooks.
    package var usedShare: Double {
        Double(values.count { $0 > 0 }) / Double(values.count)
    }

    /// 2 to the entropy of a codebook's use, averaged over codebooks: 1 when one code takes all, N when all are equally common.
    package var perplexity: Double {
        let entropies = (0..<layout.codebooks).map { codebook in
            let counts = values[range(ofCodebook: codebook)]
            let total = Double(counts.reduce(0, +))
            return counts.reduce(0.0) { $1 > 0 ? $0 - Double($1) / total * log2(Double($1) / total) : $0 }
        }
        return entropies.reduce(0) { $0 + exp2($1) } / Double(entropies.count)
    }

    /// The entropy that a perplexity stands for.
    package static func bits(_ perplexity: Double) -> Double { log2(perplexity) }
}
