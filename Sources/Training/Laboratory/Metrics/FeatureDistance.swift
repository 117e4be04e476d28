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
