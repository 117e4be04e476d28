import COpenBLAS
import Compute

/// Symmetric positive definite systems in double precision.
enum NormalEquations {
    /// Rows that are eliminated together; the rest is products.
    private static let block = 64

    /// Replaces the right-hand sides B by the solutions X of A·X = B, and A by its Cholesky factor.
    ///
    /// - Parameter system: `[unknowns, unknowns + rightHandSides]`, rows of [A B]; of A only the part from the diagonal to the right
    ///   is read.
    /// - Returns: whether A is positive definite; otherwise `system` is spoilt.
    ///
    /// Source: Golub and Van Loan, "Matrix Computations", block Cholesky.
    static func solve(_ system: inout [Double], unknowns n: Int, rightHandSides: Int) -> Bool {
        let width = n + rightHandSides
        precondition(system.count == n * width, "\(system.count) numbers are not \(n) equations with \(rightHandSides) right-hand sides")
        OpenBLAS.prepare()
        return system.withUnsafeMutableBufferPointer { system in
            let a = system.baseAddress!
            for start in stride(from: 0, to: n, by: block) {
                let size = min(block, n - start)
                let rest = n - start - size
                let diagonal = a + start * width + start
                guard factor(diagonal, stride: width, size) else { return false }
                // The rows right of the block, right-hand sides included, then what remains below.
                cblas_dtrsm(
                    CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, blasint(size), blasint(rest + rightHandSides), 1,
                    diagonal, blasint(width), diagonal + size, blasint(width))
                cblas_dsyrk(
                    CblasRowMajor, CblasUpper, CblasTrans, blasint(rest), blasint(size), -1, diagonal + size, blasint(width), 1,
                    diagonal + size * width + size, blasint(width))
                cblas_dgemm(
                    CblasRowMajor, CblasTrans, CblasNoTrans, blasint(rest), blasint(rightHandSides), blasint(size), -1, diagonal + size,
                    blasint(width), diagonal + size + rest, blasint(width), 1, diagonal + size * width + size + rest, blasint(width))
            }
            cblas_dtrsm(
                CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, blasint(n), blasint(rightHandSides), 1, a,
                blasint(width), a + n, blasint(width))
            return true
        }
    }

    /// A = Uᵀ·U for a small block, in place of its upper half.
    private static func factor(_ a: UnsafeMutablePointer<Double>, stride: Int, _ n: Int) -> Bool {
        for i in 0..<n {
            for k in 0..<i {
                let share = a[k * stride + i]
                for j in i..<n { a[i * stride + j] -= share * a[k * stride + j] }
            }
            let pivot = a[i * stride + i]
            guard pivot > 0, pivot.isFinite else { return false }
            let scale = 1 / pivot.squareRoot()
            for j in i..<n { a[i * stride + j] *= scale }
        }
        return true
    }
}
