import COpenBLAS

/// A row-major matrix in memory that someone else owns: element (i, j) is `base[i * stride + j]`.
package struct MatrixView {
    package var base: UnsafePointer<Float>
    package var stride: Int
    package var isTransposed: Bool

    package init(base: UnsafePointer<Float>, stride: Int, isTransposed: Bool = false) {
        (self.base, self.stride, self.isTransposed) = (base, stride, isTransposed)
    }

    /// The same memory read with rows and columns exchanged.
    package var transposed: MatrixView { MatrixView(base: base, stride: stride, isTransposed: !isTransposed) }
}

/// Products by OpenBLAS, each on the calling thread alone: ``Workers`` decides what runs in parallel, so that a product's
/// rounding never depends on how many threads there are.
package enum MatrixProduct {
    /// `result[m, n] = left[m, k] · right[k, n]`, added to what is there when `accumulating`.
    ///
    /// - Parameters:
    ///   - result: row-major, rows `stride` floats apart.
    package static func multiply(
        _ left: MatrixView, _ right: MatrixView, into result: UnsafeMutablePointer<Float>, stride: Int,
        m: Int, n: Int, k: Int, accumulating: Bool = false
    ) {
        OpenBLAS.prepare()
        cblas_sgemm(
            CblasRowMajor, left.isTransposed ? CblasTrans : CblasNoTrans, right.isTransposed ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k), 1, left.base, blasint(left.stride), right.base, blasint(right.stride),
            accumulating ? 1 : 0, result, blasint(stride))
    }
}
