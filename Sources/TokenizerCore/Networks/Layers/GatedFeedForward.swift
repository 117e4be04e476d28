import Compute

/// The inverted-bottleneck feed-forward with a gate: `x + norm(W · (a · silu(g)))`, where (a, g) are the halves of a depthwise 3×3.
///
/// Source: diffusers `GLUMBConv` (expand ratio 4).
package struct GatedFeedForward: Layer {
    var expand: Conv2d
    var mix: DepthwiseConv2d
    var contract: Conv2d
    var norm: RMSNorm
    private static let expansion = 4

    init(channels: Int, _ initializer: inout Initializer) {
        let hidden = Self.expansion * channels
        expand = Conv2d(channels, 2 * hidden, kernel: 1, &initializer)
        mix = DepthwiseConv2d(2 * hidden, kernel: 3, hasBias: true, &initializer)
        contract = Conv2d(hidden, channels, kernel: 1, hasBias: false, &initializer)
        norm = RMSNorm(channels: channels, &initializer)
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let expanded = expand.forward(copy x, activation: .silu, keeping: &kept)
        let gated = mix.forwardGated(expanded, keeping: &kept)
        return norm.forward(contract.forward(gated, keeping: &kept), adding: x, keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout GatedFeedForward) -> Tensor {
        var dx = copy dy
        let dgated = contract.backward(norm.backward(dy, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.contract)
        let dexpanded = mix.backwardGated(dgated, behind: .silu, from: &kept, into: &gradient.mix)
        dx.add(expand.backward(dexpanded, from: &kept, into: &gradient.expand))
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        expand.visit(path / "conv_inverted", visitor)
        mix.visit(path / "conv_depth", visitor)
        contract.visit(path / "conv_point", visitor)
        norm.visit(path / "norm", visitor)
    }
}
