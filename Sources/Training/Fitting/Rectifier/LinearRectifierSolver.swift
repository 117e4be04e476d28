import Compute
import Networks
import TokenizerCore

/// Finds the linear rectifier that comes closest, in the mean square, to the latents that were quantised.
///
/// With the residual the penalty draws the answer towards leaving the quantised latents as they are, without it towards zero.
package struct LinearRectifierSolver {
    private let configuration: RectifierConfiguration
    private let shape: LatentShape
    private let reach: LinearRectifier.Reach
    private var regression: RidgeRegression

    /// - Precondition: `configuration` is a linear one and valid for `shape`.
    package init(_ configuration: RectifierConfiguration, shape: LatentShape) {
        guard case .linear(let reach) = configuration.network else { preconditionFailure("\(configuration) is not linear") }
        (self.configuration, self.shape, self.reach) = (configuration, shape, reach)
        switch reach {
        case .neighbourhood(let size): regression = RidgeRegression(features: size * size * shape.channels, targets: shape.channels)
        case .image: regression = RidgeRegression(features: shape.count, targets: shape.count)
        }
    }

    /// Takes a batch into account.
    ///
    /// - Parameters:
    ///   - q: quantised latents, `[n, h, w, c]`.
    ///   - z: what they should have been.
    package mutating func add(_ q: Tensor, _ z: Tensor) {
        var target = z
        if configuration.isResidual {
            var difference = q
            difference.multiply(by: -1)
            target.add(difference)
        }
        switch reach {
        case .image: regression.add(Latents(q).rows, Latents(target).rows)
        case .neighbourhood(let size):
            let c = shape.channels
            q.withPointer { q in
                target.withPointer { target in
                    PatchGeometry([z.n, shape.height, shape.width, c], kernel: size, stride: 1).forEachBand { band in
                        band.withPatches(of: q) { regression.add($0, target + band.rows.lowerBound * c, rows: band.rows.count) }
                    }
                }
            }
        }
    }

    /// The best map for what was added.
    ///
    /// - Parameter penalty: on the squared weights, relative to the mean square of a feature.
    /// - Returns: nil where too little was added to determine a map under so small a penalty.
    package func rectifier(penalty: Double) -> Rectifier? {
        guard let (weight, bias) = regression.solution(penalty: penalty) else { return nil }
        var initializer = Initializer.placeholder
        var linear = LinearRectifier(reach, shape: shape, &initializer)
        linear.map.set(weight: asKernel(weight).reshaped(linear.map.weight.shape), bias: bias)
        return Rectifier(configuration, network: linear)
    }

    /// Patches are ordered (tap, channel), a convolution's weights (channel, tap).
    private func asKernel(_ weight: Tensor) -> Tensor {
        guard case .neighbourhood(let size) = reach else { return weight }
        return weight.swappingInnerAxes(outer: shape.channels, size * size, shape.channels)
    }
}

/// A linear rectifier solved for behind a finished quantiser: the best map for the training latents, under the penalty that does best
/// on others.
package struct LinearRectifierFit {
    package let rectifier: Rectifier
    /// See ``LinearRectifierSolver/rectifier(penalty:)``.
    let penalty: Double
    /// Mean squared error, after quantiser and rectifier, of the latents that the penalty was chosen by.
    let choosingMSE: Double

    /// From hardly any to one under which little is corrected.
    private static let penalties = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10]
    /// Images that are quantised at once, to bound memory.
    private static let batch = 64

    /// - Parameters:
    ///   - configuration: a linear one.
    ///   - training: normalised latents.
    ///   - choosing: more of them, that the penalty is chosen by.
    package init(_ configuration: RectifierConfiguration, behind quantizer: GroupQuantizer, training: Latents, choosing: Latents) {
        self.init(configuration, behind: quantizer, training: SharedLatents(training), choosing: choosing)
    }

    /// The same on several ranks, of which each has some of those to learn from.
    init(_ configuration: RectifierConfiguration, behind quantizer: GroupQuantizer, training: SharedLatents, choosing: Latents) {
        var solver = LinearRectifierSolver(configuration, shape: quantizer.shape)
        for z in training.batches(of: Self.batch) {
            solver.add(quantizer.latents(quantizer.tokens(z)).map, z.map)
        }
        let q = quantizer.latents(quantizer.tokens(choosing)).map
        let solutions = Self.penalties.compactMap { penalty in
            solver.rectifier(penalty: penalty).map { (rectifier: $0, penalty: penalty, error: SquaredError.loss($0(q), choosing.map).value) }
        }
        guard let best = solutions.min(by: { $0.error < $1.error }) else {
            preconditionFailure("a positive penalty makes every system of finite latents solvable")
        }
        (rectifier, penalty, choosingMSE) = best
    }
}
