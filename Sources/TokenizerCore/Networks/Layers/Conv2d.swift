import Compute

/// A k×k convolution with padding k/2 and stride 1 or 2; k = 1 is a projection of the channels.
///
/// Source: `torch.nn.Conv2d`; a 1×1 one also stands for `torch.nn.Linear`.
package struct Conv2d: Layer {
    /// `[out, in, k, k]` as weight files have it, or `[out, in]` for a projection.
    package var weight: Tensor {
        get { packed.source }
        _modify { yield &packed.source }
    }
    /// `[out]`
    var bias: Tensor?
    let stride: Int
    private var packed: Derived<Tensor, LinearMap>
    private let precision: Precision

    private var map: LinearMap { packed.form { LinearMap($0, precision: precision) } }
    var inputChannels: Int { weight.shape[1] }
    var outputChannels: Int { weight.shape[0] }

    package init(_ input: Int, _ output: Int, kernel: Int = 3, stride: Int = 1, hasBias: Bool = true, _ initializer: inout Initializer) {
        let fanIn = input * kernel * kernel
        packed = Derived(initializer.uniform([output, input, kernel, kernel], fanIn: fanIn))
        bias = hasBias ? initializer.uniform([output], fanIn: fanIn) : nil
        self.stride = stride
        precision = initializer.precision
    }

    /// A projection stored as a matrix `[out, in]`, as attention layers have it.
    init(projecting input: Int, to output: Int, hasBias: Bool = false, _ initializer: inout Initializer) {
        packed = Derived(initializer.uniform([output, input], fanIn: input))
        bias = hasBias ? initializer.uniform([output], fanIn: input) : nil
        stride = 1
        precision = initializer.precision
    }

    /// Makes the layer answer zero until it has been trained: the start of a correction that is added to something good.
    mutating func zero() {
        weight = Tensor(zeros: weight.shape)
        bias = bias.map { Tensor(zeros: $0.shape) }
    }

    /// - Precondition: the shapes are those of the tensors replaced.
    package mutating func set(weight: Tensor, bias: Tensor) {
        precondition(weight.shape == self.weight.shape && bias.shape == self.bias?.shape, "\(weight.shape) for \(self.weight.shape)")
        (self.weight, self.bias) = (weight, bias)
    }

    /// - Parameter x: `[n, h, w, in]`.
    /// - Returns: `[n, ⌈h/stride⌉, ⌈w/stride⌉, out]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        precondition(x.c == inputChannels, "a convolution of \(inputChannels) channels got \(x.shape)")
        kept.keep(x)
        return map.forward.apply(x, bias: bias, stride: stride)
    }

    /// `activation(forward(x))`, in one pass where nothing is kept.
    func forward(_ x: consuming Tensor, activation: Activation, keeping kept: inout Tape) -> Tensor {
        guard !kept.isKeeping else { return activation.forward(forward(x, keeping: &kept), keeping: &kept) }
        precondition(x.c == inputChannels, "a convolution of \(inputChannels) channels got \(x.shape)")
        return map.forward.apply(x, bias: bias, stride: stride, activation: activation)
    }

    /// `forward` of the picture with each pixel repeated twice in both directions; where nothing is kept it never exists.
    func forwardEnlarging(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        guard !kept.isKeeping else { return forward(NearestUpsampling.forward(x), keeping: &kept) }
        return map.forward.applyEnlarging(x, bias: bias)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Conv2d) -> Tensor {
        let x = kept.take()
        addGradient(dy, at: x, to: &gradient)
        kept.finish(gradient)
        return inputGradient(dy, shape: x.shape)
    }

    /// ``backward(_:from:into:)`` of a first layer, for whose input nobody wants a gradient.
    package func addGradient(_ dy: Tensor, from kept: inout Tape, to gradient: inout Conv2d) {
        addGradient(dy, at: kept.take(), to: &gradient)
        kept.finish(gradient)
    }

    /// ``backward(_:from:into:)`` of weights that are not learned.
    package func inputGradient(_ dy: Tensor, from kept: inout Tape) -> Tensor {
        inputGradient(dy, shape: kept.take().shape)
    }

    private func addGradient(_ dy: Tensor, at x: Tensor, to gradient: inout Conv2d) {
        gradient.bias?.addColumns(of: dy)
        gradient.weight.addConvolutionGradient(dy, at: x, stride: stride)
    }

    private func inputGradient(_ dy: Tensor, shape: [Int]) -> Tensor {
        // With stride 1 the gradient for the input is itself a convolution: the kernel turned by 180°, inputs and outputs exchanged.
        stride == 1
            ? map.backward.apply(dy, bias: nil, stride: 1) : stridedConvolutionGradient(dy, shape: shape, weight: weight, stride: stride)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        if bias != nil { visitor(path / "bias", .learned, &bias!) }
    }
}
