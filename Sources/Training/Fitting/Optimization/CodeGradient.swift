import Compute
import TokenizerCore

/// The gradient for codebooks, of which a batch touches few codes: those codes and their sums alone. An array of the codebooks' size,
/// which would be mostly zeros, never exists.
package struct CodeGradient: Sendable {
    /// The touched codes of one codebook, in ascending order, and the sums of what came back to them, d numbers each.
    struct Entries: Sendable {
        var codes: [Int] = []
        var sums: [Float] = []
    }

    let layout: GroupQuantizer.Layout
    let entries: [Entries]

    /// - Parameters:
    ///   - gradient: dL/d(the code of each token), `[n, T·d]`.
    ///   - tokens: the codes that the quantised latents are.
    package init(_ layout: GroupQuantizer.Layout, _ gradient: Tensor, at tokens: Tokens) {
        precondition(
            tokens.tokensPerImage == layout.tokens && gradient.count == tokens.indices.count * layout.dimension,
            "a gradient of \(gradient.shape) for \(tokens.indices.count) tokens of \(layout)")
        self.layout = layout
        var entries = [Entries](repeating: Entries(), count: layout.codebooks)
        entries.withUnsafeMutableBufferPointer { entries in
            let entries = entries.baseAddress!
            gradient.withPointer { gradient in
                Workers.forEach(layout.codebooks) { entries[$0] = Self.entries(ofCodebook: $0, layout, gradient, tokens) }
            }
        }
        self.entries = entries
    }

    /// ‖g‖ in double precision.
    package var norm: Double {
        let squares = entries.reduce(0.0) { $1.sums.reduce($0) { $0 + Double($1) * Double($1) } }
        return squares.squareRoot()
    }

    private static func entries(
        ofCodebook codebook: Int, _ layout: GroupQuantizer.Layout, _ gradient: UnsafePointer<Float>, _ tokens: Tokens
    ) -> Entries {
        let (d, perCodebook) = (layout.dimension, layout.tokens / layout.codebooks)
        // Sorted by code, then by position: the order of each sum is fixed.
        var touched: [(code: Int32, position: Int)] = []
        touched.reserveCapacity(tokens.count * perCodebook)
        for image in 0..<tokens.count {
            let start = image * layout.tokens + codebook * perCodebook
            for position in start..<start + perCodebook { touched.append((tokens.indices[position], position)) }
        }
        touched.sort { ($0.code, $0.position) < ($1.code, $1.position) }
        var entries = Entries()
        for (code, position) in touched {
            if entries.codes.last != Int(code) {
                entries.codes.append(Int(code))
                entries.sums.append(contentsOf: repeatElement(0, count: d))
            }
            let start = entries.sums.count - d
            for j in 0..<d { entries.sums[start + j] += gradient[position * d + j] }
        }
        return entries
    }
}
