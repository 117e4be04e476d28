/// Multi-scale linear attention with its norm and shortcut: `x + norm(W_out · attention(x))`.
///
/// Source: diffusers `SanaMultiscaleLinearAttention`; EfficientViT (arXiv 2205.14756).
public struct MultiscaleAttention: Layer {
    /// One further scale: the projections seen through a depthwise k×k and mixed within each head.
    public struct Scale: Layer {
        var gather: DepthwiseConv2d
        var mix: GroupedProjection

        public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
            mix.forward(gather.forward(x, keeping: &kept), keeping: &kept)
        }

        public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout Scale) -> Tensor {
            gather.backward(mix.backward(dy, from: &kept, into: &gradient.mix), from: &kept, into: &gradient.gather)
        }

        public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
            gather.visit(path / "proj_in", visitor)
            mix.visit(path / "proj_out", visitor)
        }
    }

    var query, key, value: Conv2d
    var scales: [Scale]
    var output: Conv2d
    var norm: Normalization
    private let attention: ReLUAttention

    init(
        channels: Int, headDimension: Int, scales kernels: [Int], norm kind: Normalization.Kind, _ initializer: inout Initializer
    ) {
        let inner = channels / headDimension * headDimension
        query = Conv2d(projecting: channels, to: inner, &initializer)
        key = Conv2d(projecting: channels, to: inner, &initializer)
        value = Conv2d(projecting: channels, to: inner, &initializer)
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
    public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        let projections = Tensor.concatenatingChannels([
            query.forward(copy x, keeping: &kept), key.forward(copy x, keeping: &kept), value.forward(copy x, keeping: &kept),
        ])
        var all = [projections]
        for scale in scales { all.append(scale.forward(projections, keeping: &kept)) }
        let qkv = Tensor.concatenatingChannels(all)
        kept.keep(qkv)
        return norm.forward(output.forward(attention.forward(qkv), keeping: &kept), adding: x, keeping: &kept)
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout MultiscaleAttention) -> Tensor {
        var dx = copy dy
        let dattention = output.backward(norm.backward(dy, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.output)
        let dqkv = attention.backward(dattention, qkv: kept.take())
        let width = dqkv.c / (1 + scales.count)
        var dprojections = dqkv.channels(0..<width)
        for i in scales.indices.reversed() {
            let dscale = dqkv.channels((i + 1) * width..<(i + 2) * width)
            dprojections.add(scales[i].backward(dscale, from: &kept, into: &gradient.scales[i]))
        }
        let inner = width / 3
        dx.add(value.backward(dprojections.channels(2 * inner..<3 * inner), from: &kept, into: &gradient.value))
        dx.add(key.backward(dprojections.channels(inner..<2 * inner), from: &kept, into: &gradient.key))
        dx.add(query.backward(dprojections.channels(0..<inner), from: &kept, into: &gradient.query))
        return dx
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        query.visit(path / "to_q", visitor)
        key.visit(path / "to_k", visitor)
        value.visit(path / "to_v", visitor)
        for i in scales.indices { scales[i].visit(path / "to_qkv_multiscale" / i, visitor) }
        output.visit(path / "to_out", visitor)
        norm.visit(path / "norm_out", visitor)
    }
}
