import Compute
import Glibc

/// The eigenvectors of a covariance, dealt to groups of equal size whose variances have nearly equal products.
///
/// At a high rate the error that a group's codebook leaves grows with the product of its variances, so equal products share a fixed number
/// of bits best. Source: Optimized Product Quantization (Ge et al., 2013), "eigenvalue allocation".
struct BalancedBasis {
    /// `[n][n]`: an eigenvector per row, those of a group after each other, the strongest first.
    let vectors: [[Double]]
    let variances: [Double]

    /// - Parameter groups: a divisor of the covariance's extent.
    init(of covariance: SymmetricMatrix, groups: Int) {
        let n = covariance.n
        let (values, flat) = covariance.eigen()
        // Relative to the smallest, so that every further member makes a product larger.
        let least = max(values.last ?? 1, (values.first ?? 1) * 1e-12, .leastNormalMagnitude)
        var members = [[Int]](repeating: [], count: groups)
        var products = [Double](repeating: 0, count: groups)
        for (index, value) in values.enumerated() {
            let open = members.indices.filter { members[$0].count < n / groups }
            let group = open.min { (products[$0], $0) < (products[$1], $1) }!
            members[group].append(index)
            products[group] += log(max(value, least) / least)
        }
        let order = members.flatMap { $0 }
        vectors = order.map { Array(flat[$0 * n..<($0 + 1) * n]) }
        variances = order.map { values[$0] }
    }

    /// `vectors · matrix`, `[n, n]`.
    func rows(times matrix: SymmetricMatrix) -> Tensor {
        let n = vectors.count
        return Tensor(vectors.flatMap { vector in (0..<n).map { j in Float((0..<n).reduce(0) { $0 + vector[$1] * matrix[$1, j] }) } }, shape: [n, n])
    }

    /// `matrix · vectorsᵀ`, `[n, n]`.
    func columns(behind matrix: SymmetricMatrix) -> Tensor {
        let n = vectors.count
        return Tensor((0..<n).flatMap { i in vectors.map { vector in Float((0..<n).reduce(0) { $0 + matrix[i, $1] * vector[$1] }) } }, shape: [n, n])
    }
}
