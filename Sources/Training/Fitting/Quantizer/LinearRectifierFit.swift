import Compute
import Networks
import TokenizerCore

/// A linear rectifier solved for behind a finished quantiser: the best map for the training latents, under the penalty that does best
/// on held-out ones.
package struct LinearRectifierFit {
    package let rectifier: Rectifier
    /// See ``LinearRectifierSolver/rectifier(penalty:)``.
    let penalty: Double
    /// Mean squared error of the held-out latents after quantiser and rectifier.
    let heldOutMSE: Double

    /// From hardly any to one under which little is corrected.
    private static let penalties = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10]
    /// Images that are quantised at once, to bound memory.
    private static let batch = 64

    /// - Parameters:
    ///   - configuration: a linear one.
    ///   - training: normalised latents, `[n, C·H·W]`.
    ///   - heldOut: more of them.
    package init(_ configuration: RectifierConfiguration, behind quantizer: GroupQuantizer, shape: LatentShape, training: Tensor, heldOut: Tensor) {
        var solver = LinearRectifierSolver(configuration, shape: shape)
        for start in stride(from: 0, to: training.n, by: Self.batch) {
            let z = training.images(start..<min(start + Self.batch, training.n))
            solver.add(shape.featureMap(quantizer.latents(quantizer.tokens(z))), shape.featureMap(z))
        }
        let target = shape.featureMap(heldOut)
        let q = shape.featureMap(quantizer.latents(quantizer.tokens(heldOut)))
        let solutions = Self.penalties.compactMap { penalty in
            solver.rectifier(penalty: penalty).map { (rectifier: $0, penalty: penalty, error: SquaredError.loss($0(q), target).value) }
        }
        guard let best = solutions.min(by: { $0.error < $1.error }) else {
            preconditionFailure("a positive penalty makes every system of finite latents solvable")
        }
        (rectifier, penalty, heldOutMSE) = best
    }
}
