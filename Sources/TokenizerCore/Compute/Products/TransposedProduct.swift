import CKernels

/// The product that weight gradients are: `sum[m, n] += aᵀ · b` for `a[rows, m]` and `b[rows, n]`.
///
/// Each sum is formed in fp32, in runs of rows whose length depends on the processor alone.
///
/// - Parameters:
///   - sum: `[m, n]`, or another shape with these elements.
package func addTransposedProduct(
    of a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, rows: Int, m: Int, n: Int, to sum: UnsafeMutablePointer<Float>
) {
    let kernels = InstructionSet.current.kernels
    let panels = WeightPanels(rows: b, k: rows, n: n)
    let pieces = ProductPieces(rows: m, columns: n, least: 1024)
    Workers.forEach(pieces.count) { piece in
        let (rowRange, columns) = pieces[piece]
        let (top, left) = (rowRange.lowerBound, columns.lowerBound)
        panels.withPointer(fromColumn: left) {
            kernels.add_transposed_product(rowRange.count, columns.count, rows, a + top, m, $0, sum + top * n + left, n)
        }
    }
}
