import CKernels

/// Finds the nearest code of each vector, exactly.
///
/// The codes of a codebook are arranged in cells of 64 that lie close together, the cells in regions of 16, and each is looked into only
/// where its bounding box reaches closer than the best code found so far. In few dimensions that leaves a small part of the codebook to be read.
package final class CodeSearch: Sendable {
    /// Number of codebooks.
    package let groups: Int
    /// Numbers in a code.
    package let d: Int

    private let layout: CodebookLayout
    /// `[groups, layout.count]`
    private let arranged: Tensor

    /// - Parameter codebooks: `[groups, N, d]`: one codebook per token position, one for all, or anything between.
    /// - Complexity: O(groups · N · log N · d), shared by the ``Workers``.
    package init(_ codebooks: Tensor) {
        precondition(codebooks.shape.count == 3 && codebooks.count > 0, "codebooks are [groups, N, d], got \(codebooks.shape)")
        let (groups, codes, d) = (codebooks.shape[0], codebooks.shape[1], codebooks.shape[2])
        let layout = CodebookLayout(codes: codes, d: d)
        var arranged = Tensor(uninitialized: [groups, layout.count], isLasting: true)
        withPointers(writing: &arranged, reading: codebooks) { arranged, codebooks in
            Workers.forEach(groups) { group in
                layout.arrange(codebooks + group * codes * d, into: arranged + group * layout.count)
            }
        }
        // A mapped codebook is read again only where tokens are decoded.
        codebooks.releasePages()
        (self.groups, self.d, self.layout, self.arranged) = (groups, d, layout, arranged)
    }

    /// The index of the code at the least Euclidean distance from each vector; of equally near ones, the lowest. The answer is
    /// that of double precision.
    ///
    /// - Parameters:
    ///   - vectors: `[n, tokensPerImage, d]`, or another shape with these elements.
    ///   - tokensPerImage: a multiple of ``groups``; each stretch of `tokensPerImage / groups` positions shares a codebook.
    /// - Returns: n · tokensPerImage indices.
    package func nearest(_ vectors: Tensor, tokensPerImage: Int) -> [Int32] {
        let pieces = TokenPieces(vectors, d: d, tokensPerImage: tokensPerImage, groups: groups)
        let (d, layout, kernels) = (d, layout, ComputeContext.current.kernels)
        return [Int32](unsafeUninitializedCapacity: vectors.count / d) { found, count in
            count = vectors.count / d
            guard let found = found.baseAddress else { return }
            withPointers(reading: vectors, arranged) { vectors, arranged in
                pieces.forEach { piece in
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: layout.regions) { bounds in
                        kernels.nearest_code(
                            vectors + piece.start * d, piece.count, piece.stride, d, arranged + piece.group * layout.count,
                            layout.cells, bounds.baseAddress!, found + piece.start)
                    }
                }
            }
        }
    }
}

/// Finds the nearest code of each vector, exactly, by looking at every code: nothing is prepared, so this is the way for codebooks that
/// are about to change. See ``CodeSearch``.
package struct CodeScan: Sendable {
    /// `[groups, N, d]`
    private let codebooks: Tensor

    /// - Parameter codebooks: `[groups, N, d]`: one codebook per token position, one for all, or anything between.
    package init(_ codebooks: Tensor) {
        precondition(codebooks.shape.count == 3 && codebooks.count > 0, "codebooks are [groups, N, d], got \(codebooks.shape)")
        self.codebooks = codebooks
    }

    /// What ``CodeSearch/nearest(_:tokensPerImage:)`` answers, to the index.
    /// - Complexity: O(vectors · N · d), shared by the ``Workers``.
    package func nearest(_ vectors: Tensor, tokensPerImage: Int) -> [Int32] {
        let (groups, codes, d) = (codebooks.shape[0], codebooks.shape[1], codebooks.shape[2])
        let pieces = TokenPieces(vectors, d: d, tokensPerImage: tokensPerImage, groups: groups)
        let kernels = ComputeContext.current.kernels
        return [Int32](unsafeUninitializedCapacity: vectors.count / d) { found, count in
            count = vectors.count / d
            guard let found = found.baseAddress else { return }
            withPointers(reading: vectors, codebooks) { vectors, codebooks in
                pieces.forEach { piece in
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: CodeCells.size * (3 * d + 1)) { scratch in
                        kernels.scan_codes(
                            vectors + piece.start * d, piece.count, piece.stride, d, codebooks + piece.group * codes * d, codes,
                            scratch.baseAddress!, found + piece.start)
                    }
                }
            }
        }
    }
}
