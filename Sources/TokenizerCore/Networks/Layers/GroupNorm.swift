import Compute

/// Normalises groups of channels of each image over all positions.
///
/// Source: `torch.nn.GroupNorm`; ε is 1e-6 throughout diffusers' autoencoders, 1e-5 where PyTorch's own is left.
package struct GroupNorm: Layer {
    /// `[c]`
    var weight: Tensor
    /// `[c]`
    var bias: Tensor
    private let groups: Int
    private let epsilon: Float

    init(channels: Int, groups: Int, epsilon: Float = 1e-6, _ initializer: inout Initializer) {
        weight = initializer.constant(1, [channels])
        bias = initializer.constant(0, [channels])
        (self.groups, self.epsilon) = (groups, epsilon)
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        kept.keep(x)
        return normalizeGroups(x, groups: groups, weight: weight, bias: bias, epsilon: epsilon)
    }

    /// `activation(forward(x))`, in one pass where nothing is kept.
    func forward(_ x: consuming Tensor, activation: Activation, keeping kept: inout Tape) -> Tensor {
        guard !kept.isKeeping else { return activation.forward(forward(x, keeping: &kept), keeping: &kept) }
        return normalizeGroups(x, groups: groups, weight: weight, bias: bias, epsilon: epsilon, activation: activation)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout GroupNorm) -> Tensor {
        let dx = normalizeGroupsGradient(
            dy, at: kept.take(), groups: groups, weight: weight, epsilon: epsilon, addingTo: &gradient.weight, &gradient.bias)
        kept.finish(gradient)
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        visitor(path / "bias", .learned, &bias)
    }
}
