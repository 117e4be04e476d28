import TokenizerCore

/// The principal components of square image patches: the best linear code of a given size, and where a patch-skip autoencoder starts.
public struct PatchBasis: Sendable {
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
    public init(patches: Tensor, components count: Int, seed: UInt64) {
        let width = patches.c
        let (mean, covariance) = Self.statistics(of: patches)
        var random = RandomSource(seed: seed, stream: RandomSource.stream(named: "patch basis"))
        var basis = (0..<count).map { _ in (0..<width).map { _ in Double(random.normal()) } }
        Self.orthonormalize(&basis)
        for _ in 0..<Self.rounds {
            basis = basis.map { vector in Self.product(covariance, vector) }
            Self.orthonormalize(&basis)
        }
        let variances = basis.map { vector in zip(vector, Self.product(covariance, vector)).reduce(0) { $0 + $1.0 * $1.1 } }
        let order = variances.indices.sorted { variances[$0] > variances[$1] }
        self.mean = mean
        self.components = order.map { basis[$0] }
        self.variances = order.map { variances[$0] }
    }

    private static func statistics(of patches: Tensor) -> (mean: [Double], covariance: [[Double]]) {
        let (sums, products) = patches.moments()
        let (rows, width) = (Double(patches.rows), patches.c)
        let mean = sums.map { $0 / rows }
        let covariance = (0..<width).map { i in (0..<width).map { j in products[i * width + j] / rows - mean[i] * mean[j] } }
        return (mean, covariance)
    }

    private static func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
        matrix.map { row in
            var sum = 0.0
            for j in vector.indices { sum += row[j] * vector[j] }
            return sum
        }
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
