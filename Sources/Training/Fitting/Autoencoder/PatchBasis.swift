import Compute

/// The principal components of square image patches: the best linear code of a given size, and where a patch-skip autoencoder starts.
package struct PatchBasis: Sendable {
    /// `[3·f²]`, in the order channel, row, column.
    let mean: [Double]
    /// Orthonormal rows `[components][3·f²]`, strongest first.
    let components: [[Double]]
    /// The variance that each component carries.
    let variances: [Double]

    private static let rounds = 60

    /// - Parameters:
    ///   - patches: `[count, 3·f²]`.
    ///   - components: how many to find.
    ///   - seed: of the random start of the subspace iteration.
    package init(patches: Tensor, components count: Int, seed: UInt64) {
        let width = patches.c
        let (mean, covariance) = Self.statistics(of: patches)
        let multiplier = PackedMatrix(covariance)
        var random = RandomSource(seed: seed, stream: RandomSource.stream(named: "patch basis"))
        var basis = (0..<count).map { _ in (0..<width).map { _ in Double(random.normal()) } }
        Self.orthonormalize(&basis)
        for _ in 0..<Self.rounds {
            basis = Self.products(basis, multiplier)
            Self.orthonormalize(&basis)
        }
        let variances = zip(basis, Self.products(basis, multiplier)).map { vector, product in zip(vector, product).reduce(0) { $0 + $1.0 * $1.1 } }
        let order = variances.indices.sorted { variances[$0] > variances[$1] }
        self.mean = mean
        self.components = order.map { basis[$0] }
        self.variances = order.map { variances[$0] }
    }

    private static func statistics(of patches: Tensor) -> (mean: [Double], covariance: Tensor) {
        let (sums, products) = patches.moments()
        let (rows, width) = (Double(patches.rows), patches.c)
        let mean = sums.map { $0 / rows }
        let covariance = products.indices.map { Float(products[$0] / rows - mean[$0 / width] * mean[$0 % width]) }
        return (mean, Tensor(covariance, shape: [width, width]))
    }

    /// The matrix times each vector, in single precision: the basis is made orthonormal in double precision after every product, and
    /// what rounding turns it by is far less than what the choice of pictures does.
    private static func products(_ vectors: [[Double]], _ matrix: PackedMatrix) -> [[Double]] {
        let width = vectors[0].count
        let rows = project(Tensor(vectors.joined().map(Float.init), shape: [vectors.count, width]), with: matrix).values
        return vectors.indices.map { row in rows[row * width..<(row + 1) * width].map(Double.init) }
    }

    /// Gram–Schmidt, twice for accuracy.
    private static func orthonormalize(_ vectors: inout [[Double]]) {
        for _ in 0..<2 {
            for i in vectors.indices {
                for k in 0..<i {
                    let overlap = zip(vectors[i], vectors[k]).reduce(0) { $0 + $1.0 * $1.1 }
                    for j in vectors[i].indices { vectors[i][j] -= overlap * vectors[k][j] }
                }
                let norm = vectors[i].reduce(0) { $0 + $1 * $1 }.squareRoot()
                for j in vectors[i].indices { vectors[i][j] /= norm }
            }
        }
    }
}
