import COpenBLAS

/// A real symmetric matrix in double precision, such as a covariance.
package struct SymmetricMatrix: Sendable, Equatable {
    /// Rows and columns.
    package let n: Int
    /// `[n, n]`, row-major.
    package private(set) var values: [Double]

    /// - Precondition: `values` is `[n, n]` and symmetric up to rounding.
    package init(_ values: [Double], n: Int) {
        precondition(values.count == n * n, "\(values.count) values are no \(n)×\(n) matrix")
        (self.n, self.values) = (n, values)
    }

    package init(diagonal: [Double]) {
        self.init([Double](repeating: 0, count: diagonal.count * diagonal.count), n: diagonal.count)
        for i in 0..<n { values[i * n + i] = diagonal[i] }
    }

    /// The mean of xᵀx over the rows of a matrix, `[count, n]`.
    package init(momentsOf rows: Tensor) {
        let count = Double(max(1, rows.rows))
        self.init(rows.moments().products.map { $0 / count }, n: rows.c)
    }

    package subscript(i: Int, j: Int) -> Double { values[i * n + j] }

    package var diagonal: [Double] { (0..<n).map { self[$0, $0] } }
    /// The sum of the diagonal.
    package var trace: Double { diagonal.reduce(0, +) }

    package func scaled(by factor: Double) -> SymmetricMatrix {
        SymmetricMatrix(values.map { $0 * factor }, n: n)
    }

    /// `self · inner · self`, for a symmetric `inner`.
    package func conjugating(_ inner: SymmetricMatrix) -> SymmetricMatrix {
        precondition(inner.n == n, "a matrix of \(n) rows conjugates one of \(inner.n)")
        let product = Self.product(Self.product(values, inner.values, n), values, n)
        return SymmetricMatrix((0..<n * n).map { (product[$0] + product[$0 % n * n + $0 / n]) / 2 }, n: n)
    }

    /// Eigenvalues in descending order, and the eigenvector of each as a row of `vectors`, `[n, n]`. Each vector's largest element is
    /// positive, so that equal matrices have equal vectors.
    ///
    /// Source: LAPACK's `dsyev`.
    package func eigen() -> (values: [Double], vectors: [Double]) {
        let (found, vectors) = solved(for: "V")
        // LAPACK's are ascending, and a column of its column-major matrix is a row here.
        let order = (0..<n).reversed()
        return (order.map { found[$0] }, order.flatMap { Self.facingUp(vectors[$0 * n..<($0 + 1) * n]) })
    }

    /// Eigenvalues alone, in descending order: several times faster.
    package var eigenvalues: [Double] { solved(for: "N").values.reversed() }

    private func solved(for job: String) -> (values: [Double], vectors: [Double]) {
        OpenBLAS.prepare()
        var (vectors, found) = (values, [Double](repeating: 0, count: n))
        var (size, status, workCount) = (Int32(n), Int32(0), Int32(max(1, 3 * n * 8)))
        var work = [Double](repeating: 0, count: Int(workCount))
        dsyev_(job, "U", &size, &vectors, &size, &found, &work, &workCount, &status)
        precondition(status == 0, "the eigenvalues of a \(n)×\(n) matrix were not found: \(status)")
        return (found, vectors)
    }

    /// f(matrix): the matrix with the same eigenvectors, whose eigenvalues are `function` of this one's.
    package func mapEigenvalues(_ function: (Double) -> Double) -> SymmetricMatrix {
        let (eigenvalues, vectors) = eigen()
        var result = [Double](repeating: 0, count: n * n)
        for (k, eigenvalue) in eigenvalues.enumerated() {
            let weight = function(eigenvalue)
            for i in 0..<n {
                let left = weight * vectors[k * n + i]
                for j in 0..<n { result[i * n + j] += left * vectors[k * n + j] }
            }
        }
        return SymmetricMatrix(result, n: n)
    }

    private static func facingUp(_ vector: ArraySlice<Double>) -> [Double] {
        let largest = vector.max { abs($0) < abs($1) } ?? 0
        return largest < 0 ? vector.map { -$0 } : Array(vector)
    }

    /// `left · right` of two `[n, n]` matrices.
    package static func product(_ left: [Double], _ right: [Double], _ n: Int) -> [Double] {
        var result = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for k in 0..<n {
                let factor = left[i * n + k]
                for j in 0..<n { result[i * n + j] += factor * right[k * n + j] }
            }
        }
        return result
    }
}
