import Compute

/// `x + W_out · attention(norm x)`: every position sees every other, with one head.
///
/// Source: diffusers `Attention` with a group norm, biases and a residual connection, as `UNetMidBlock2D` makes it.
package struct SelfAttention: Layer {
    var norm: GroupNorm
    var query: Conv2d
    var key: Conv2d
    var value: Conv2d
    var output: Conv2d

    init(channels: Int, groups: Int, _ initializer: inout Initializer) {
        norm = GroupNorm(channels: channels, groups: groups, &initializer)
        query = Conv2d(projecting: channels, to: channels, hasBias: true, &initializer)
        key = Conv2d(projecting: channels, to: channels, hasBias: true, &initializer)
        value = Conv2d(projecting: channels, to: channels, hasBias: true, &initializer)
        output = Conv2d(projecting: channels, to: channels, hasBias: true, &initializer)
    }

    /// - Parameter x: `[n, h, w, c]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        if ComputeContext.current.isInterrupted { return x }
        let normed = norm.forward(copy x, keeping: &kept)
        let q = query.forward(normed, keeping: &kept)
        let k = key.forward(normed, keeping: &kept)
        let v = value.forward(normed, keeping: &kept)
        for part in [q, k, v] { kept.keep(part) }
        var y = output.forward(SoftmaxAttention.forward(query: q, key: k, value: v), keeping: &kept)
        y.add(x)
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout SelfAttention) -> Tensor {
        var dx = copy dy
        let dattention = output.backward(dy, from: &kept, into: &gradient.output)
        let (v, k, q) = (kept.take(), kept.take(), kept.take())
        let parts = SoftmaxAttention.backward(dattention, query: q, key: k, value: v)
        var dnormed = value.backward(parts.value, from: &kept, into: &gradient.value)
        dnormed.add(key.backward(parts.key, from: &kept, into: &gradient.key))
        dnormed.add(query.backward(parts.query, from: &kept, into: &gradient.query))
        dx.add(norm.backward(dnormed, from: &kept, into: &gradient.norm))
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        norm.visit(path / "group_norm", visitor)
        query.visit(path / "to_q", visitor)
        key.visit(path / "to_k", visitor)
        value.visit(path / "to_v", visitor)
        output.visit(path / "to_out" / 0, visitor)
    }
}
