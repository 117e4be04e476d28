import Compute

/// Attention over the whole picture, then a gated feed-forward with local reach; both add to their input.
///
/// Source: diffusers `EfficientViTBlock`.
package struct EfficientViTBlock: Layer {
    var attention: MultiscaleAttention
    var feedForward: GatedFeedForward

    init(
        channels: Int, headDimension: Int, scales: [Int], norm: Normalization.Kind = .rms, _ initializer: inout Initializer
    ) {
        attention = MultiscaleAttention(channels: channels, headDimension: headDimension, scales: scales, norm: norm, &initializer)
        feedForward = GatedFeedForward(channels: channels, &initializer)
    }

    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        if ComputeContext.current.isInterrupted { return x }
        return feedForward.forward(attention.forward(x, keeping: &kept), keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout EfficientViTBlock) -> Tensor {
        let between = feedForward.backward(dy, from: &kept, into: &gradient.feedForward)
        return attention.backward(between, from: &kept, into: &gradient.attention)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        attention.visit(path / "attn", visitor)
        feedForward.visit(path / "conv_out", visitor)
    }
}
