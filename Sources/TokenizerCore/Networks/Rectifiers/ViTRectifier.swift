import Compute

/// The paper's rectifier: DC-AE's decoder with one stage and no upsampling, from latents to latents.
///
/// `conv_out(relu(norm(blocks(conv_in(q) + repeat(q)))))`.
///
/// Source: ReVQ (arXiv 2507.10547); parameter names follow diffusers' decoder, as the published weights do.
package struct ViTRectifier: Layer {
    var convIn: Conv2d
    var blocks: LayerStack<EfficientViTBlock>
    var norm: RMSNorm
    var convOut: Conv2d
    private let repeats: Int

    init(channels: Int, width: Int, depth: Int, headDimension: Int, scales: [Int], _ initializer: inout Initializer) {
        convIn = Conv2d(channels, width, &initializer)
        blocks = LayerStack(depth, &initializer) { _, initializer in
            EfficientViTBlock(channels: width, headDimension: headDimension, scales: scales, &initializer)
        }
        norm = RMSNorm(channels: width, &initializer)
        convOut = Conv2d(width, channels, &initializer)
        repeats = width / channels
    }

    /// - Parameter q: `[n, h, w, c]`.
    package func forward(_ q: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = convIn.forward(copy q, keeping: &kept)
        hidden.add(ChannelGroups.repeat(q, count: repeats))
        hidden = blocks.forward(hidden, keeping: &kept)
        hidden = norm.forward(hidden, activation: .relu, keeping: &kept)
        return convOut.forward(hidden, keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout ViTRectifier) -> Tensor {
        var dhidden = Activation.relu.backward(convOut.backward(dy, from: &kept, into: &gradient.convOut), from: &kept)
        dhidden = norm.backward(dhidden, from: &kept, into: &gradient.norm)
        dhidden = blocks.backward(dhidden, from: &kept, into: &gradient.blocks)
        var dq = ChannelGroups.repeatBackward(dhidden, count: repeats)
        dq.add(convIn.backward(dhidden, from: &kept, into: &gradient.convIn))
        return dq
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        convIn.visit(path / "conv_in", visitor)
        blocks.visit(path / "up_blocks" / 0, visitor)
        norm.visit(path / "norm_out", visitor)
        convOut.visit(path / "conv_out", visitor)
    }
}
