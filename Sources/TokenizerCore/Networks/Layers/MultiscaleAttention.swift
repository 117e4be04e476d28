import Compute

/// Multi-scale linear attention with its norm and shortcut: `x + norm(W_out · attention(x))`.
///
/// Source: diffusers `SanaMultiscaleLinearAttention`; EfficientViT (arXiv 2205.14756).
package struct MultiscaleAttention: Layer {
    /// One further scale: the projections seen through a depthwise k×k and mixed within each head.
    package struct Scale: Layer {
        var gather: DepthwiseConv2d
        var mix: GroupedProjection

        package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
            mix.forward(gather.forward(x, keeping: &kept), keeping: &kept)
        }

        package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Scale) -> Tensor {
            gather.backward(mix.backward(dy, from: &kept, into: &gradient.mix), from: &kept, into: &gradient.gather)
        }

        package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
            gather.visit(path / "proj_in", visitor)
            mix.visit(path / "proj_out", visitor)
        }
    }

    var projections: QueryKeyValue
    var scales: [Scale]
    var output: Conv2d
    var norm: Normalization
    private let attention: ReLUAttention

    init(
        channels: Int, headDimension: Int, scales kernels: [Int], norm kind: Normalization.Kind, _ initializer: inout Initializer
    ) {
        let inner = channels / headDimension * headDimension
        projections = QueryKeyValue(channels: channels, inner: inner, &initializer)
        scales = []
        for kernel in kernels {
            scales.append(
                Scale(
                    gather: DepthwiseConv2d(3 * inner, kernel: kernel, hasBias: false, &initializer),
                    mix: GroupedProjection(3 * inner, groupSize: headDimension, &initializer)))
        }
        output = Conv2d(projecting: inner * (1 + kernels.count), to: channels, &initializer)
        norm = Normalization(kind, channels: channels, &initializer)
        attention = ReLUAttention(headDimension: headDimension)
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var views = [projections.forward(copy x, keeping: &kept)]
        for scale in scales { views.append(scale.forward(views[0], keeping: &kept)) }
        for view in views { kept.keep(view) }
        return norm.forward(output.forward(attention.forward(views), keeping: &kept), adding: x, keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout MultiscaleAttention) -> Tensor {
        var dx = copy dy
        let dattention = output.backward(norm.backward(dy, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.output)
        let views = Array((0...scales.count).map { _ in kept.take() }.reversed())
        var dviews = attention.backward(dattention, views)
        for i in scales.indices.reversed() {
            dviews[0].add(scales[i].backward(dviews.removeLast(), from: &kept, into: &gradient.scales[i]))
        }
        dx.add(projections.backward(dviews.removeLast(), from: &kept, into: &gradient.projections))
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        projections.visit(path, visitor)
        for i in scales.indices { scales[i].visit(path / "to_qkv_multiscale" / i, visitor) }
        output.visit(path / "to_out", visitor)
        norm.visit(path / "norm_out", visitor)
    }
}

/// A 1×1 convolution in which each group of channels sees only itself.
///
/// Source: `torch.nn.Conv2d(c, c, 1, groups: c / size, bias: false)`.
package struct GroupedProjection: Layer {
    /// `[c, size, 1, 1]`
    var weight: Tensor {
        get { packed.source }
        _modify { yield &packed.source }
    }
    private var packed: Derived<Tensor, PackedGroups>

    init(_ channels: Int, groupSize: Int, _ initializer: inout Initializer) {
        packed = Derived(initializer.uniform([channels, groupSize, 1, 1], fanIn: groupSize))
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        precondition(x.c == weight.shape[0], "a grouped projection of \(weight.shape[0]) channels got \(x.shape)")
        kept.keep(x)
        return project(x, with: packed.form { PackedGroups($0) })
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout GroupedProjection) -> Tensor {
        let x = kept.take()
        gradient.weight.addGroupedGradient(dy, at: x)
        kept.finish(gradient)
        return project(dy, with: PackedGroups(transposing: weight))
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
    }
}
