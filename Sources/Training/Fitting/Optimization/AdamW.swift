import CKernels
import Compute
import Files
import Glibc
import Networks

/// Adam with decoupled weight decay.
///
/// Source: `torch.optim.AdamW`; Decoupled Weight Decay Regularization (arXiv 1711.05101).
package struct AdamW: Sendable {
    /// How strongly each step shrinks the parameters, relative to the learning rate.
    package let weightDecay: Float
    /// Steps taken so far.
    package private(set) var step = 0
    /// The moments of every tensor in visiting order; those of tensors that are not learned stay zero.
    private var first: [Tensor] = []
    private var second: [Tensor] = []

    private static let (beta1, beta2, epsilon): (Double, Double, Float) = (0.9, 0.999, 1e-8)
    /// How much of a new batch's statistics goes into the running ones (`torch.nn.BatchNorm2d`'s momentum).
    private static let statisticsMomentum: Float = 0.1

    package init(weightDecay: Float) {
        self.weightDecay = weightDecay
    }

    /// Moves `parameters` one step against `gradient`.
    ///
    /// - Parameters:
    ///   - gradient: dL/d(parameter); for measured tensors the batch's statistics, which are mixed into the running ones.
    ///   - scale: multiplies the gradient first: what clipping or averaging asks for.
    ///   - moves: whether a tensor is moved at all, by its place in visiting order.
    package mutating func update<Model: Parameterized>(
        _ parameters: inout Model, gradient: Model, learningRate: Float, scale: Float = 1, where moves: (Int) -> Bool = { _ in true }
    ) {
        let gradients = gradient.tensors.map(\.tensor)
        let constants = advance(gradients.map(\.shape), learningRate: learningRate, scale: scale)
        var index = 0
        parameters.visit(.root) { _, role, tensor in
            defer { index += 1 }
            guard moves(index) else { return }
            switch role {
            case .learned: move(&tensor, against: gradients[index], index, constants)
            case .measured: tensor.mix(with: gradients[index], keeping: 1 - Self.statisticsMomentum)
            case .fixed: break
            }
        }
    }

    /// Counts a step; its numbers.
    /// - Parameter shapes: of all parameters, in visiting order.
    mutating func advance(_ shapes: [[Int]], learningRate: Float, scale: Float) -> revq_adamw_step {
        if first.isEmpty {
            first = shapes.map { Tensor(zeros: $0) }
            second = shapes.map { Tensor(zeros: $0) }
        }
        step += 1
        return revq_adamw_step(
            beta1: Float(Self.beta1), beta2: Float(Self.beta2), epsilon: Self.epsilon,
            step_size: Float(Double(learningRate) / (1 - pow(Self.beta1, Double(step)))),
            second_correction: Float(1 / (1 - pow(Self.beta2, Double(step))).squareRoot()), shrink: 1 - learningRate * weightDecay,
            gradient_scale: scale)
    }

    private mutating func move(_ tensor: inout Tensor, against gradient: Tensor, _ index: Int, _ constants: revq_adamw_step) {
        let (count, kernels) = (tensor.count, ComputeContext.current.kernels)
        gradient.withPointer { gradient in
            withPointers(to: &tensor, index) { parameter, first, second in
                RowPieces.forEach(rows: count, width: 1) { range in
                    let start = range.lowerBound
                    withUnsafePointer(to: constants) {
                        kernels.adamw($0, gradient + start, range.count, parameter + start, first + start, second + start)
                    }
                }
            }
        }
    }

    /// Passes a parameter and its moments.
    mutating func withPointers(
        to tensor: inout Tensor, _ index: Int,
        _ body: (_ parameter: UnsafeMutablePointer<Float>, _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>) -> Void
    ) {
        tensor.withMutablePointer { parameter in
            first[index].withMutablePointer { first in
                second[index].withMutablePointer { body(parameter, first, $0) }
            }
        }
    }
}

extension AdamW {
    /// Everything a resumed run needs, as named tensors.
    package func state(prefix: String) -> [(name: String, tensor: Tensor)] {
        first.indices.flatMap { [("\(prefix).first.\($0)", first[$0]), ("\(prefix).second.\($0)", second[$0])] }
    }

    /// The optimiser that ``state(prefix:)`` described after `step` steps.
    package init<Model: Parameterized>(
        weightDecay: Float, step: Int, for model: Model, restoring file: SafetensorsFile, prefix: String
    ) throws(FileError) {
        try self.init(weightDecay: weightDecay, step: step, shapes: model.tensors.map(\.tensor.shape), restoring: file, prefix: prefix)
    }

    /// The same for parameters of these shapes, in visiting order.
    package init(
        weightDecay: Float, step: Int, shapes: [[Int]], restoring file: SafetensorsFile, prefix: String
    ) throws(FileError) {
        self.init(weightDecay: weightDecay)
        self.step = step
        guard step > 0 else { return }
        for (index, shape) in shapes.enumerated() {
            first.append(try file.tensor("\(prefix).first.\(index)", shape: shape))
            second.append(try file.tensor("\(prefix).second.\(index)", shape: shape))
        }
    }
}
