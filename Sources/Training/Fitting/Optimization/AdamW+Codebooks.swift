import CKernels
import Compute
import TokenizerCore

extension AdamW {
    /// Moves a quantiser's codebooks one step. Codes without a gradient move too, as their moments say.
    ///
    /// - Parameter scale: multiplies the gradient first.
    package mutating func update(_ quantizer: inout GroupQuantizer, gradient: CodeGradient, learningRate: Float, scale: Float) {
        let layout = quantizer.layout
        precondition(gradient.layout == layout, "a gradient for \(gradient.layout) and a quantiser of \(layout)")
        let constants = advance([quantizer.codebooks.shape], learningRate: learningRate, scale: scale)
        let kernels = ComputeContext.current.kernels
        let pieces = CodePieces(layout)
        withPointers(to: &quantizer.codebooks, 0) { parameter, first, second in
            Workers.forEach(pieces.count) { index in
                let piece = pieces[index]
                let (offset, count) = (piece.offset, piece.codes.count * layout.dimension)
                withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { dense in
                    dense.update(repeating: 0)
                    gradient.entries[piece.codebook].copy(piece.codes, layout.dimension, to: dense.baseAddress!)
                    withUnsafePointer(to: constants) {
                        kernels.adamw($0, dense.baseAddress!, count, parameter + offset, first + offset, second + offset)
                    }
                }
            }
        }
    }
}

/// Cuts codebooks into stretches of codes whose gradient stays in a core's cache.
private struct CodePieces {
    private static let floatsPerPiece = 32_768
    private let layout: GroupQuantizer.Layout
    private let length: Int
    private let perCodebook: Int

    init(_ layout: GroupQuantizer.Layout) {
        self.layout = layout
        length = max(1, Self.floatsPerPiece / layout.dimension)
        perCodebook = (layout.codes + length - 1) / length
    }

    var count: Int { layout.codebooks * perCodebook }

    /// `offset`: the place of the stretch's first number among all codebooks'.
    subscript(piece: Int) -> (codebook: Int, codes: Range<Int>, offset: Int) {
        let (codebook, part) = piece.quotientAndRemainder(dividingBy: perCodebook)
        let codes = part * length..<min(layout.codes, (part + 1) * length)
        return (codebook, codes, (codebook * layout.codes + codes.lowerBound) * layout.dimension)
    }
}

extension CodeGradient.Entries {
    /// Puts the sums of those codes that are in `range` at their places in `dense`, `[range.count, d]`.
    fileprivate func copy(_ range: Range<Int>, _ d: Int, to dense: UnsafeMutablePointer<Float>) {
        for index in codes.firstIndex(ofAtLeast: range.lowerBound)..<codes.count {
            guard codes[index] < range.upperBound else { return }
            for j in 0..<d { dense[(codes[index] - range.lowerBound) * d + j] = sums[index * d + j] }
        }
    }
}

extension [Int] {
    /// By bisection: where the first number is that is not below `least`.
    fileprivate func firstIndex(ofAtLeast least: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < least { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
