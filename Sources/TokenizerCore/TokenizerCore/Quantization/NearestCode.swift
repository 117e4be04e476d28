import CKernels

/// The search for the nearest code.
enum NearestCode {
    /// - Parameters:
    ///   - latents: `[n, T·d]`.
    ///   - codebooks: `[codebooks, N, d]`.
    /// - Returns: n·T indices.
    static func search(_ latents: Tensor, in codebooks: Tensor, _ layout: GroupQuantizer.Layout) -> [Int32] {
        let (tokens, codes, d) = (layout.tokens, layout.codes, layout.dimension)
        // Codes dimension by dimension, so that one vector instruction compares many of them.
        let columns = codebooks.swappingInnerAxes(outer: layout.codebooks, codes, d)
        var indices = [Int32](repeating: 0, count: latents.n * tokens)
        indices.withUnsafeMutableBufferPointer { indices in
            let target = indices.baseAddress!
            latents.withPointer { latents in
                columns.withPointer { columns in
                    Workers.forEach(indices.count) { position in
                        let codebook = columns + layout.codebook(ofToken: position % tokens) * codes * d
                        target[position] = revq_nearest_code(latents + position * d, codebook, codes, d)
                    }
                }
            }
        }
        return indices
    }
}
