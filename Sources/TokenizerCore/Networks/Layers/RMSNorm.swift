import Compute

/// Normalises each position over its channels: `x / √(mean x² + ε) · weight + bias`.
///
/// Source: diffusers `RMSNorm` with bias; ε is 1e-5 throughout DC-AE.
package struct RMSNorm: Layer {
    /// `[c]`
    var weight: Tensor
    /// `[c]`
    var bias: Tensor
    private static let epsilon: Float = 1e-5

    init(channels: Int, _ initializer: inout Initializer) {
        weight = initializer.constant(1, [channels])
        bias = initializer.constant(0, [channels])
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        kept.keep(x)
        return normalized(x, activation: nil, adding: nil)
    }

    /// `activation(forward(x))`, in one pass where nothing is kept.
    func forward(_ x: consuming Tensor, activation: Activation, keeping kept: inout Tape) -> Tensor {
        guard !kept.isKeeping else { return activation.forward(forward(x, keeping: &kept), keeping: &kept) }
        return normalized(x, activation: activation, adding: nil)
    }

    /// `forward(x) + shortcut`, in one pass.
    func forward(_ x: consuming Tensor, adding shortcut: Tensor, keeping kept: inout Tape) -> Tensor {
        kept.keep(x)
        return normalized(x, activation: nil, adding: shortcut)
    }

    private func normalized(_ x: consuming Tensor, activation: Activation?, adding shortcut: Tensor?) -> Tensor {
        normalizeRMS(x, weight: weight, bias: bias, epsilon: Self.epsilon, activation: activation, adding: shortcut)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout RMSNorm) -> Tensor {
        let dx = normalizeRMSGradient(
            dy, at: kept.take(), weight: weight, epsilon: Self.epsilon, addingTo: &gradient.weight, &gradient.bias)
        kept.finish(gradient)
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        visitor(path / "bias", .learned, &bias)
    }
}
