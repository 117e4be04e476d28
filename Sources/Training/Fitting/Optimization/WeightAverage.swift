import Files
import Networks

/// A model's weights averaged over the last steps: smoother, and better on what was not trained on.
struct WeightAverage<Model: Parameterized>: Sendable {
    private(set) var model: Model
    /// The average reaches back about 1 / (1 − this) steps; in 0 ..< 1.
    private let decay: Float

    /// - Parameter model: where the average starts.
    init(_ model: Model, decay: Float) {
        (self.model, self.decay) = (model, decay)
    }

    /// Takes the weights after `step` steps into account.
    /// - Parameter moves: whether a tensor is trained, by its place in visiting order.
    mutating func add(_ current: Model, step: Int, where moves: (Int) -> Bool = { _ in true }) {
        // Early on the average follows quickly, so that the start is forgotten.
        let keep = min(decay, Float(step) / Float(step + 10))
        let tensors = current.tensors
        var index = 0
        model.visit(.root) { _, role, tensor in
            // Mixed with itself a number may round to another one.
            if role != .fixed && moves(index) { tensor.mix(with: tensors[index].tensor, keeping: keep) }
            index += 1
        }
    }

    mutating func load(from file: SafetensorsFile, prefix: String) throws(FileError) {
        try model.load(from: file, prefix: prefix)
    }
}
