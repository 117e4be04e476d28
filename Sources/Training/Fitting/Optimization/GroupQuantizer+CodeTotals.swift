import Compute
import TokenizerCore

extension GroupQuantizer {
    /// Adds runs to the records of the codes that they were assigned to, in double precision: what Lloyd's algorithm moves codes by.
    ///
    /// - Parameters:
    ///   - runs: `[n, T·d]`.
    ///   - tokens: their codes.
    ///   - images: those of the n that are added.
    ///   - codebook: whose tokens are added.
    ///   - importance: what a squared difference of each token weighs, `[T]`; nil for 1. See ``importance``.
    ///   - totals: a record for each code of each codebook: count, weight, weighted squared error, and d weighted sums.
    package func add(
        _ runs: Tensor, _ tokens: Tokens, images: Range<Int>, ofCodebook codebook: Int, importance: [Float]?,
        to totals: UnsafeMutablePointer<Double>
    ) {
        let (d, codes, perImage) = (layout.dimension, layout.codes, layout.tokens)
        precondition(runs.shape == [tokens.count, perImage * d], "\(tokens.count) images of \(perImage) tokens are not runs of \(runs.shape)")
        let perCodebook = perImage / layout.codebooks
        let kernels = ComputeContext.current.kernels
        runs.withPointer { runs in
            codebooks.withPointer { codebooks in
                tokens.indices.withUnsafeBufferPointer { indices in
                    for token in codebook * perCodebook..<(codebook + 1) * perCodebook {
                        let first = images.lowerBound * perImage + token
                        kernels.add_to_cells(
                            runs + first * d, indices.baseAddress! + first, images.count, perImage, d, codebooks + codebook * codes * d,
                            Double(importance?[token] ?? 1), totals + codebook * codes * (d + 3))
                    }
                }
            }
        }
    }
}
