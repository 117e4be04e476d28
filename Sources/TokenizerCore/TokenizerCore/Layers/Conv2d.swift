/// A k×k convolution with padding k/2 and stride 1 or 2; k = 1 is a projection of the channels.
///
/// Source: `torch.nn.Conv2d`; a 1×1 one also stands for `torch.nn.Linear`.
public struct Conv2d: Layer {
    /// `[out, in, k, k]` as weight files have it, or `[out, in]` for a projection.
    var weight: Tensor
    /// `[out]`
    var bias: Tensor?
    let stride: Int
    private var packed: PackedConvolutions

    var outputChannels: Int { weight.shape[0] }
    var inputChannels: Int { weight.shape[1] }
    var kernel: Int { weight.shape.count == 4 ? weight.shape[2] : 1 }

    init(_ input: Int, _ output: Int, kernel: Int = 3, stride: Int = 1, hasBias: Bool = true, _ initializer: inout Initializer) {
        let fanIn = input * kernel * kernel
        weight = initializer.uniform([output, input, kernel, kernel], fanIn: fanIn)
        bias = hasBias ? initializer.uniform([output], fanIn: fanIn) : nil
        self.stride = stride
        packed = PackedConvolutions(initializer.precision)
    }

    /// A projection stored as a matrix `[out, in]` without bias, as attention layers have it.
    init(projecting input: Int, to output: Int, _ initializer: inout Initializer) {
        weight = initializer.uniform([output, input], fanIn: input)
        bias = nil
        stride = 1
        packed = PackedConvolutions(initializer.precision)
    }

    /// Makes the layer answer zero until it has been trained: the start of a correction that is added to something good.
    mutating func zero() {
        weight = Tensor(zeros: weight.shape)
        bias = bias.map { Tensor(zeros: $0.shape) }
        packed = PackedConvolutions(packed.precision)
    }

    /// - Precondition: the shapes are those of the tensors replaced.
    mutating func set(weight: Tensor, bias: Tensor) {
        precondition(weight.shape == self.weight.shape && bias.shape == self.bias?.shape, "\(weight.shape) for \(self.weight.shape)")
        (self.weight, self.bias, packed) = (weight, bias, PackedConvolutions(packed.precision))
    }

    /// - Parameter x: `[n, h, w, in]`.
    /// - Returns: `[n, ⌈h/stride⌉, ⌈w/stride⌉, out]`.
    public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        precondition(x.c == inputChannels, "a convolution of \(inputChannels) channels got \(x.shape)")
        kept.keep(x)
        return packed.forward(weight).apply(x, bias: bias, stride: stride)
    }

    /// `activation(forward(x))`, in one pass where nothing is kept.
    func forward(_ x: consuming Tensor, activation: Activation, keeping kept: inout Activations) -> Tensor {
        guard !kept.isKeeping else { return activation.forward(forward(x, keeping: &kept), keeping: &kept) }
        precondition(x.c == inputChannels, "a convolution of \(inputChannels) channels got \(x.shape)")
        return packed.forward(weight).apply(x, bias: bias, stride: stride, activation: activation)
    }

    /// `forward` of the picture with each pixel repeated twice in both directions; where nothing is kept it never exists.
    func forwardEnlarging(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        guard !kept.isKeeping else { return forward(NearestUpsampling.forward(x), keeping: &kept) }
        return packed.forward(weight).applyEnlarging(x, bias: bias)
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout Conv2d) -> Tensor {
        let x = kept.take()
        gradient.bias?.addColumns(of: dy)
        addWeightGradient(dy, x, to: &gradient.weight)
        // With stride 1 the gradient for the input is itself a convolution: the kernel turned by 180°, inputs and outputs exchanged.
        return stride == 1 ? packed.backward(weight).apply(dy, bias: nil, stride: 1) : stridedInputGradient(dy, x.shape)
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        if bias != nil { visitor(path / "bias", .learned, &bias!) }
        packed = PackedConvolutions(packed.precision)
    }

    private func addWeightGradient(_ dy: Tensor, _ x: Tensor, to gradient: inout Tensor) {
        guard kernel > 1 else { return Self.addWeightGradient(dy, x, PatchGeometry(x.shape, kernel: 1, stride: stride), to: &gradient) }
        // Patches are ordered (tap, channel), weights (channel, tap).
        var tapMajor = Tensor(zeros: [outputChannels, kernel * kernel * inputChannels])
        Self.addWeightGradient(dy, x, PatchGeometry(x.shape, kernel: kernel, stride: stride), to: &tapMajor)
        gradient.add(tapMajor.swappingInnerAxes(outer: outputChannels, kernel * kernel, inputChannels).reshaped(weight.shape))
    }

    /// Adds Σ dyᵀ · patches of x.
    static func addWeightGradient(_ dy: Tensor, _ x: Tensor, _ patches: PatchGeometry, to sum: inout Tensor) {
        let (k, outputs) = (patches.width, dy.c)
        sum.withMutablePointer { sum in
            x.withPointer { x in
                dy.withPointer { dy in
                    patches.forEachBand { band in
                        band.withPatches(of: x) { patches in
                            addTransposedProduct(
                                of: dy + band.rows.lowerBound * outputs, patches, rows: band.rows.count, m: outputs, n: k, to: sum)
                        }
                    }
                }
            }
        }
    }

    /// Every output's share, dy · W, added to the patch it came from.
    private func stridedInputGradient(_ dy: Tensor, _ shape: [Int]) -> Tensor {
        let patches = PatchGeometry(shape, kernel: kernel, stride: stride)
        let (k, outputs) = (patches.width, outputChannels)
        // A patch of an NHWC picture is one run of memory per tap, so the weights are read in that order.
        let tapMajor = weight.swappingInnerAxes(outer: outputs, inputChannels, kernel * kernel)
        var dx = Tensor(zeros: shape)
        dx.withMutablePointer { dx in
            tapMajor.withPointer { weight in
                dy.withPointer { dy in
                    patches.forEachBand { band in
                        band.withGradientPatches(of: dx) { target in
                            MatrixProduct.multiply(
                                MatrixView(base: dy + band.rows.lowerBound * outputs, stride: outputs), MatrixView(base: weight, stride: k),
                                into: target, stride: k, m: band.rows.count, n: k, k: outputs)
                        }
                    }
                }
            }
        }
        return dx
    }
}
