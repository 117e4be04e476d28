import Compute

/// How different two sets of pictures are as distributions of features, such as ``InceptionNetwork``'s.
package struct FeatureDistance: Codable, Equatable, Sendable {
    /// The Fréchet distance of the Gaussians with the sets' means and unbiased covariances. Too large for few pictures: the bias falls
    /// like 1/n, and figures of different n do not compare. Source: Heusel et al., "GANs trained by a two time-scale update rule" (2017).
    package let frechet: Double
    /// The squared maximum mean discrepancy under (x·y / d + 1)³, unbiased over all pairs; may be negative. Where others average random
    /// subsets of 1,000 pictures, this uses every pair, which has the same expectation. Source: Bińkowski et al., "Demystifying MMD GANs" (2018).
    package let kernel: Double
    /// Pictures in each set.
    package let images: Int

    /// Below this many pictures ``frechet`` says more about their number than about the pictures.
    package static let enoughImages = 10_000

    /// - Parameters:
    ///   - a: a picture's features per row, `[n, d]`.
    ///   - b: the same of the other set.
    /// - Precondition: equal shapes, n ≥ 2.
    init(_ a: Tensor, _ b: Tensor) {
        precondition(a.shape == b.shape && a.n >= 2, "features of \(a.shape) are compared with \(b.shape)")
        let (setA, setB) = (FeatureSet(a), FeatureSet(b))
        frechet = setA.frechetDistance(to: setB)
        kernel = setA.kernelDistance(to: setB)
        images = a.n
    }
}

/// The features of a set of pictures, in double precision: `[n][d]`, flat.
struct FeatureSet {
    let n, d: Int
    private let values: [Double]

    /// - Parameter features: `[n, d]`.
    init(_ features: Tensor) {
        (n, d) = (features.n, features.c)
        values = features.values.map(Double.init)
    }

    init(_ values: [Double], n: Int, d: Int) {
        (self.values, self.n, self.d) = (values, n, d)
    }

    func frechetDistance(to other: FeatureSet) -> Double {
        let (mean, otherMean) = (mean, other.mean)
        let (a, b) = (centred(mean), other.centred(otherMean))
        let shift = zip(mean, otherMean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let spread = (a.values + b.values).reduce(0) { $0 + $1 * $1 }
        return shift + (spread - 2 * a.rootTrace(b)) / Double(n - 1)
    }

    func kernelDistance(to other: FeatureSet) -> Double {
        func kernel(_ product: Double) -> Double {
            let base = product / Double(d) + 1
            return base * base * base
        }
        func mean(_ products: [Double], skippingDiagonal: Bool) -> Double {
            let sum = products.reduce(0) { $0 + kernel($1) }
            guard skippingDiagonal else { return sum / Double(n * n) }
            let diagonal = (0..<n).reduce(0) { $0 + kernel(products[$1 * n + $1]) }
            return (sum - diagonal) / Double(n * (n - 1))
        }
        return mean(products(self), skippingDiagonal: true) + mean(other.products(other), skippingDiagonal: true)
            - 2 * mean(products(other), skippingDiagonal: false)
    }

    private var mean: [Double] {
        var sums = [Double](repeating: 0, count: d)
        for i in values.indices { sums[i % d] += values[i] }
        return sums.map { $0 / Double(n) }
    }

    private func centred(_ mean: [Double]) -> FeatureSet {
        FeatureSet(values.indices.map { values[$0] - mean[$0 % d] }, n: n, d: d)
    }

    /// tr √(AᵀA BᵀB) for centred features A and B.
    ///
    /// The eigenvalues of that product are the squared singular values of A Bᵀ, which is the smaller matrix while there are fewer
    /// pictures than features; otherwise they are those of the symmetric √(AᵀA) BᵀB √(AᵀA).
    private func rootTrace(_ other: FeatureSet) -> Double {
        if n < d { return FeatureSet(products(other), n: n, d: n).nuclearNorm }
        let (a, b) = (transposed, other.transposed)
        let root = SymmetricMatrix(a.products(a), n: d).mapEigenvalues { max($0, 0).squareRoot() }
        return root.conjugating(SymmetricMatrix(b.products(b), n: d)).rootTrace
    }

    /// The sum of the singular values of this square matrix.
    var nuclearNorm: Double { SymmetricMatrix(products(self), n: n).rootTrace }

    private var transposed: FeatureSet {
        FeatureSet((0..<n * d).map { values[$0 % n * d + $0 / n] }, n: d, d: n)
    }

    /// x · y for every row x of this set and y of the other: `[n][n]`, flat.
    func products(_ other: FeatureSet) -> [Double] {
        [Double](unsafeUninitializedCapacity: n * n) { result, count in
            let target = result.baseAddress!
            values.withUnsafeBufferPointer { x in
                other.values.withUnsafeBufferPointer { y in
                    Workers.forEach(n) { i in
                        for j in 0..<n { target[i * n + j] = Self.dot(x.baseAddress! + i * d, y.baseAddress! + j * d, d) }
                    }
                }
            }
            count = n * n
        }
    }

    /// Eight sums at a time, so that they run side by side in a register.
    private static func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
        var sums = SIMD8<Double>()
        let whole = count / 8 * 8
        for i in stride(from: 0, to: whole, by: 8) {
            sums += UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Double>.self) * UnsafeRawPointer(y + i).loadUnaligned(as: SIMD8<Double>.self)
        }
        return (whole..<count).reduce(sums.sum()) { $0 + x[$1] * y[$1] }
    }
}

extension SymmetricMatrix {
    /// The sum of the roots of the eigenvalues, none of which is negative but by rounding.
    fileprivate var rootTrace: Double { eigenvalues.reduce(0) { $0 + max($1, 0).squareRoot() } }
}
