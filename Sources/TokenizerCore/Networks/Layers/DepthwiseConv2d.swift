import Compute

/// A k×k convolution of each channel by itself, stride 1, padding k/2.
///
/// Source: `torch.nn.Conv2d` with `groups == channels`.
package struct DepthwiseConv2d: Layer {
    /// `[c, 1, k, k]`
    var weight: Tensor {
        get { packed.source }
        _modify { yield &packed.source }
    }
    private var packed: Derived<Tensor, PackedDepthwise>
    /// `[c]`
    var bias: Tensor?

    private var channels: Int { weight.shape[0] }

    init(_ channels: Int, kernel: Int, hasBias: Bool, _ initializer: inout Initializer) {
        packed = Derived(initializer.uniform([channels, 1, kernel, kernel], fanIn: kernel * kernel))
        bias = hasBias ? initializer.uniform([channels], fanIn: kernel * kernel) : nil
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        precondition(x.c == channels, "a depthwise convolution of \(channels) channels got \(x.shape)")
        kept.keep(x)
        return convolve(x, with: packed.form { PackedDepthwise($0) }, bias: bias)
    }

    /// The first half of the resulting channels times the SiLU of the second; in one pass where nothing is kept.
    ///
    /// - Parameter x: the activation of the tensor that was kept last; itself it is not kept.
    func forwardGated(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        guard kept.isKeeping else { return convolve(x, with: packed.form { PackedDepthwise($0) }, bias: bias, isGated: true) }
        let halves = convolve(x, with: packed.form { PackedDepthwise($0) }, bias: bias)
        kept.keep(halves)
        return gate(halves)
    }

    /// Of ``forwardGated(_:keeping:)`` and of `activation` before it, in one pass.
    func backwardGated(
        _ dy: consuming Tensor, behind activation: Activation, from kept: inout Tape, into gradient: inout DepthwiseConv2d
    ) -> Tensor {
        let halves = kept.take()
        let (dx, dweight) = depthwiseGradient(
            dy, at: kept.take(), weight: weight, behind: activation, halves: halves, addingTo: &gradient.bias)
        gradient.weight.add(dweight)
        kept.finish(gradient)
        return dx
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout DepthwiseConv2d) -> Tensor {
        let (dx, dweight) = depthwiseGradient(dy, at: kept.take(), weight: weight, addingTo: &gradient.bias)
        gradient.weight.add(dweight)
        kept.finish(gradient)
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        if bias != nil { visitor(path / "bias", .learned, &bias!) }
    }
}
