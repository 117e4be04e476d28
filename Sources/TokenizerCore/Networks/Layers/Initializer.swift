import Compute

/// Gives a new layer its first values: random ones for training, or none at all when a weight file follows; and the precision of its
/// products.
package struct Initializer: Sendable {
    private var random: RandomSource?
    private(set) var precision = Precision.float32

    /// Values from `seed`, the same on every machine.
    package static func random(seed: UInt64) -> Initializer {
        Initializer(random: RandomSource(seed: seed, stream: RandomSource.stream(named: "weights")))
    }

    /// Shapes alone: every tensor is about to be replaced by one of a file. So a configuration that claims more than its file holds is
    /// refused by the first shape that differs, before any memory is taken for it.
    package static let placeholder = Initializer(random: nil)

    /// The same values for layers that compute in `precision`. Training needs fp32.
    package func computing(in precision: Precision) -> Initializer {
        var initializer = self
        initializer.precision = precision
        return initializer
    }

    /// Uniform in ±1/√fanIn, PyTorch's default for convolutions and linear layers.
    package mutating func uniform(_ shape: [Int], fanIn: Int) -> Tensor {
        guard var source = random else { return Tensor(placeholder: shape) }
        var tensor = Tensor(uninitialized: shape)
        let bound = 1 / Float(fanIn).squareRoot()
        let count = tensor.count
        tensor.withMutablePointer { for i in 0..<count { $0[i] = (2 * source.uniform() - 1) * bound } }
        random = source
        return tensor
    }

    func constant(_ value: Float, _ shape: [Int]) -> Tensor {
        random == nil ? Tensor(placeholder: shape) : Tensor(repeating: value, shape: shape)
    }
}
