import Compute
import Glibc

/// What quantisation at a given rate does to latents, in a form that gradients pass through: rate–distortion theory's forward test channel.
///
/// A channel of mean μ and deviation σ that may lose the share s of its variance becomes `μ + (1 − s)(z − μ) + √(s(1 − s)) σ ε` with
/// standard normal ε. As with the nearest of good codes, the result varies by (1 − s)σ², its error is sσ² and not correlated with it.
///
/// Source: Cover and Thomas, Elements of Information Theory, 10.3 (the channel and reverse water-filling).
package struct TestChannel: Sendable {
    /// s of each latent channel, in 0 … 1.
    let distortions: [Float]

    init(distortions: [Float]) {
        self.distortions = distortions
    }

    /// Spends `bits` per latent position where they help most: every channel of at least the variance D is left with the error D,
    /// weaker ones are given up.
    ///
    /// - Parameter variances: above zero; in units in which errors of all channels weigh the same.
    package init(variances: [Double], bits: Double) {
        precondition(variances.allSatisfy { $0 > 0 } && bits >= 0, "\(bits) bits for variances of \(variances)")
        func rate(_ level: Double) -> Double { variances.reduce(0) { $0 + max(0, log2($1 / level) / 2) } }
        var (low, high) = (variances.min()! * exp2(-2 * bits / Double(variances.count) - 1), variances.max()!)
        // The rate falls as the level rises; halving the range of logarithms finds it to full precision.
        for _ in 0..<100 {
            let middle = (low * high).squareRoot()
            if rate(middle) > bits { low = middle } else { high = middle }
        }
        distortions = variances.map { Float(min(1, high / $0)) }
    }

    /// Sends `z`, `[n, h, w, c]`, through the channel; means and deviations are those of `z` itself.
    func passage(of z: Tensor, _ random: inout RandomSource) -> Passage {
        precondition(z.c == distortions.count, "a test channel of \(distortions.count) channels got \(z.shape)")
        return Passage(z, distortions, &random)
    }

    /// One way through the channel, and what its gradient needs.
    struct Passage {
        private(set) var output: Tensor
        private let distortions: [Float]
        /// ε and (z − μ) / σ, each of z's shape.
        private var noise, standardized: Tensor

        fileprivate init(_ z: Tensor, _ distortions: [Float], _ random: inout RandomSource) {
            self.distortions = distortions
            (output, noise, standardized) = (z, Tensor(uninitialized: z.shape), z)
            random.fill(normal: &noise)
            let (rows, c) = (z.rows, z.c)
            standardized.withMutablePointer { standardized in
                output.withMutablePointer { output in
                    noise.withPointer { noise in
                        for channel in 0..<c {
                            let indices = stride(from: channel, to: rows * c, by: c)
                            let mean = indices.reduce(0) { $0 + Double(output[$1]) } / Double(rows)
                            let variance = indices.reduce(0) { $0 + (Double(output[$1]) - mean) * (Double(output[$1]) - mean) } / Double(rows)
                            let (center, deviation) = (Float(mean), Float(variance.squareRoot()))
                            let (kept, added) = Self.shares(distortions[channel])
                            for i in indices {
                                standardized[i] = deviation > 0 ? (output[i] - center) / deviation : 0
                                output[i] = center + deviation * (kept * standardized[i] + added * noise[i])
                            }
                        }
                    }
                }
            }
        }

        /// The gradient for z, given the one for ``output``. It includes the way by μ and σ: were they taken for constants, the encoder
        /// would be told that larger latents are hurt less.
        func backward(_ gradient: Tensor) -> Tensor {
            let (rows, c) = (gradient.rows, gradient.c)
            var result = gradient
            result.withMutablePointer { d in
                noise.withPointer { noise in
                    standardized.withPointer { standardized in
                        for channel in 0..<c {
                            let indices = stride(from: channel, to: rows * c, by: c)
                            let (kept, added) = Self.shares(distortions[channel])
                            let mean = indices.reduce(0) { $0 + d[$1] } / Float(rows)
                            let slope = indices.reduce(0) { $0 + d[$1] * noise[$1] } / Float(rows)
                            for i in indices { d[i] = kept * d[i] + (1 - kept) * mean + added * slope * standardized[i] }
                        }
                    }
                }
            }
            return result
        }

        /// What remains of the signal, and how much noise joins it, both relative to σ.
        private static func shares(_ distortion: Float) -> (kept: Float, added: Float) {
            (1 - distortion, (distortion * (1 - distortion)).squareRoot())
        }
    }
}
