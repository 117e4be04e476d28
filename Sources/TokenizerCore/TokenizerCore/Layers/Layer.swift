/// Something made of named tensors.
public protocol Parameterized: Sendable {
    /// Calls `visitor` once for every tensor, in a fixed order: the one list that loading, saving, counting, clipping and the
    /// optimiser share.
    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor)
}

/// A differentiable part of a network. Its gradient has its own type: the same structure holding dL/d(parameter).
public protocol Layer: Parameterized {
    /// - Parameter kept: receives what ``backward(_:from:into:)`` will need.
    func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor

    /// The gradient of the loss for the input, given the one for the output; adds the parameters' share to `gradient`.
    ///
    /// - Parameter kept: the stack that `forward` left; what this layer kept is removed.
    func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout Self) -> Tensor
}

/// Receives each tensor of a layer with its name; may replace or change it.
public typealias ParameterVisitor = (_ path: ParameterPath, _ role: ParameterRole, _ tensor: inout Tensor) -> Void

/// Whether a tensor is learned by gradient or measured (running statistics).
public enum ParameterRole: Sendable {
    case learned
    case measured
}

/// A dotted name as the weight files have it: `encoder.down_blocks.0.1.conv1.weight`.
public struct ParameterPath: Sendable, CustomStringConvertible {
    public let description: String

    public static let root = ParameterPath("")

    public init(_ name: String) {
        description = name
    }

    public static func / (path: ParameterPath, name: String) -> ParameterPath {
        ParameterPath(path.description.isEmpty ? name : "\(path.description).\(name)")
    }

    public static func / (path: ParameterPath, index: Int) -> ParameterPath {
        path / String(index)
    }
}

extension Layer {
    public func callAsFunction(_ x: consuming Tensor) -> Tensor {
        var kept = Activations.forgetting
        return forward(x, keeping: &kept)
    }
}

extension Parameterized {
    /// The same structure with every tensor zero: where gradients are summed, and where an optimiser's moments start.
    public func zeroed() -> Self {
        var zero = self
        zero.visit(.root) { _, _, tensor in tensor = Tensor(zeros: tensor.shape) }
        return zero
    }

    /// How many numbers are learned.
    public var parameterCount: Int {
        var layer = self
        var count = 0
        layer.visit(.root) { _, role, tensor in if role == .learned { count += tensor.count } }
        return count
    }

    /// All tensors in visiting order.
    public var tensors: [(path: String, role: ParameterRole, tensor: Tensor)] {
        var layer = self
        var all: [(String, ParameterRole, Tensor)] = []
        layer.visit(.root) { path, role, tensor in all.append((path.description, role, tensor)) }
        return all
    }
}
