import Compute

/// Something made of named tensors.
package protocol Parameterized: Sendable {
    /// Calls `visitor` once for every tensor, in a fixed order: the one list that loading, saving, counting, clipping and the
    /// optimiser share.
    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor)
}

/// Receives each tensor of a layer with its name; may replace or change it.
package typealias ParameterVisitor = (_ path: ParameterPath, _ role: ParameterRole, _ tensor: inout Tensor) -> Void

/// Where a tensor's values come from while a network is trained.
package enum ParameterRole: Sendable {
    /// Gradients.
    case learned
    /// The batches: running statistics.
    case measured
    /// Computed before training and left as it is.
    case fixed
}

extension Parameterized {
    /// The same structure with every tensor zero: where gradients are summed, and where an optimiser's moments start.
    package func zeroed() -> Self {
        var zero = self
        zero.visit(.root) { _, _, tensor in tensor = Tensor(zeros: tensor.shape) }
        return zero
    }

    /// All tensors in visiting order.
    package var tensors: [(path: String, role: ParameterRole, tensor: Tensor)] {
        var layer = self
        var all: [(String, ParameterRole, Tensor)] = []
        layer.visit(.root) { path, role, tensor in all.append((path.description, role, tensor)) }
        return all
    }
}
