import CKernels

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
        let runs = TokenRuns(vectors, d: d, tokensPerImage: tokensPerImage, groups: groups)
        let kernels = InstructionSet.current.kernels
        return [Int32](unsafeUninitializedCapacity: vectors.count / d) { found, count in
            count = vectors.count / d
            guard let found = found.baseAddress else { return }
            vectors.withPointer { vectors in
                codebooks.withPointer { codebooks in
                    runs.forEach { run in
                        withUnsafeTemporaryAllocation(of: Float.self, capacity: CodeCells.size * (3 * d + 1)) { scratch in
                            kernels.scan_codes(
                                vectors + run.start * d, run.count, run.stride, d, codebooks + run.group * codes * d, codes,
                                scratch.baseAddress!, found + run.start)
                        }
                    }
                }
            }
        }
    }
}
