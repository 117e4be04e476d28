import Compute

/// `x + norm(conv2(act(conv1 x)))`, both convolutions 3×3.
///
/// Source: diffusers `ResBlock` of AutoencoderDC.
package struct ResBlock: Layer {
    var conv1: Conv2d
    var conv2: Conv2d
    var norm: Normalization
    let activation: Activation

    init(channels: Int, norm kind: Normalization.Kind, activation: Activation, _ initializer: inout Initializer) {
        conv1 = Conv2d(channels, channels, &initializer)
        conv2 = Conv2d(channels, channels, hasBias: false, &initializer)
        norm = Normalization(kind, channels: channels, &initializer)
        // The block starts as the identity: deep networks then start with what their shortcuts carry instead of with noise.
        norm.zero()
        self.activation = activation
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        if ComputeContext.current.isInterrupted { return x }
        let hidden = conv1.forward(copy x, activation: activation, keeping: &kept)
        return norm.forward(conv2.forward(hidden, keeping: &kept), adding: x, keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout ResBlock) -> Tensor {
        var dx = copy dy
        let dhidden = conv2.backward(norm.backward(dy, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.conv2)
        dx.add(conv1.backward(activation.backward(dhidden, from: &kept), from: &kept, into: &gradient.conv1))
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        conv1.visit(path / "conv1", visitor)
        conv2.visit(path / "conv2", visitor)
        norm.visit(path / "norm", visitor)
    }
}
