import CKernels

/// A k×k convolution with padding k/2 and stride 1 or 2; k = 1 is a projection of the channels.
///
/// Source: `torch.nn.Conv2d`; a 1×1 one also stands for `torch.nn.Linear`.
public struct Conv2d: Layer {
    /// `[out, in, k, k]` as weight files have it, or `[out, in]` for a projection.
    var weight: Tensor
    /// `[out]`
    var bias: Tensor?
    let stride: Int

    var outputChannels: Int { weight.shape[0] }
    var inputChannels: Int { weight.shape[1] }
    var kernel: Int { weight.shape.count == 4 ? weight.shape[2] : 1 }

    init(_ input: Int, _ output: Int, kernel: Int = 3, stride: Int = 1, hasBias: Bool = true, _ initializer: inout Initializer) {
        let fanIn = input * kernel * kernel
        weight = initializer.uniform([output, input, kernel, kernel], fanIn: fanIn)
        bias = hasBias ? initializer.uniform([output], fanIn: fanIn) : nil
        self.stride = stride
    }

    /// A projection stored as a matrix `[out, in]` without bias, as attention layers have them.
    init(projecting input: Int, to output: Int, _ initializer: inout Initializer) {
        weight = initializer.uniform([output, input], fanIn: input)
        bias = nil
        stride = 1
    }

    /// Makes the layer answer zero until it has been trained: the start of a correction that is added to something good.
    mutating func zero() {
        weight = Tensor(zeros: weight.shape)
        bias = bias.map { Tensor(zeros: $0.shape) }
    }

    /// - Parameter x: `[n, h, w, in]`.
    /// - Returns: `[n, ⌈h/stride⌉, ⌈w/stride⌉, out]`.
    public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        precondition(x.c == inputChannels, "a convolution of \(inputChannels) channels got \(x.shape)")
        kept.keep(x)
        let patches = PatchGeometry(x.shape, kernel: kernel, stride: stride)
        let (k, outputs) = (patches.width, outputChannels)
        var y = Tensor(uninitialized: [x.n, patches.outputHeight, patches.outputWidth, outputs])
        tapMajorWeight.withPointer { weight in
            x.withPointer { x in
                y.withMutablePointer { y in
                    patches.forEachBand { band, rows in
                        band.withPatches(of: x) { patches in
                            if let bias {
                                bias.withPointer { bias in
                                    for row in 0..<rows.count { (y + (rows.lowerBound + row) * outputs).update(from: bias, count: outputs) }
                                }
                            }
                            MatrixProduct.multiply(
                                MatrixView(base: patches, stride: k), MatrixView(base: weight, stride: k).transposed,
                                into: y + rows.lowerBound * outputs, stride: outputs, m: rows.count, n: outputs, k: k,
                                accumulating: bias != nil)
                        }
                    }
                }
            }
        }
        return y
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout Conv2d) -> Tensor {
        let x = kept.take()
        let patches = PatchGeometry(x.shape, kernel: kernel, stride: stride)
        let (k, outputs, rows) = (patches.width, outputChannels, dy.rows)
        var dx = patches.isIdentity ? Tensor(uninitialized: x.shape) : Tensor(zeros: x.shape)
        var dweight = Tensor(zeros: [outputs, k])
        let weight = tapMajorWeight
        dy.withPointer { dy in
            gradient.bias?.withMutablePointer { revq_column_sums(dy, $0, rows, outputs) }
            dweight.withMutablePointer { dweight in
                dx.withMutablePointer { dx in
                    patches.forEachBandInOrder { band, rows in
                        let dyBand = MatrixView(base: dy + rows.lowerBound * outputs, stride: outputs)
                        x.withPointer { x in
                            band.withPatches(of: x) { patches in
                                MatrixProduct.multiply(
                                    dyBand.transposed, MatrixView(base: patches, stride: k), into: dweight, stride: k,
                                    m: outputs, n: k, k: rows.count, accumulating: true)
                            }
                        }
                        weight.withPointer { weight in
                            band.withGradientPatches(of: dx) { target in
                                MatrixProduct.multiply(
                                    dyBand, MatrixView(base: weight, stride: k), into: target, stride: k,
                                    m: rows.count, n: k, k: outputs)
                            }
                        }
                    }
                }
            }
        }
        gradient.weight.add(fileLayout(tapMajor: dweight))
        return dx
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
        if bias != nil { visitor(path / "bias", .learned, &bias!) }
    }

    /// `[out, k·k·in]`: a patch of an NHWC picture is one run of memory per tap, so the weights are read in that order.
    private var tapMajorWeight: Tensor {
        kernel == 1 ? weight : weight.swappingInnerAxes(outer: outputChannels, inputChannels, kernel * kernel)
    }

    private func fileLayout(tapMajor dweight: Tensor) -> Tensor {
        kernel == 1
            ? dweight.reshaped(weight.shape)
            : dweight.swappingInnerAxes(outer: outputChannels, kernel * kernel, inputChannels).reshaped(weight.shape)
    }
}
