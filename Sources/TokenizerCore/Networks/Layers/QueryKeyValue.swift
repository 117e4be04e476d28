import Compute

/// The projections to queries, keys and values, one after the other in the channels: three matrices in files, one product here.
///
/// Source: diffusers `SanaMultiscaleLinearAttention`, `to_q`, `to_k` and `to_v`.
package struct QueryKeyValue: Layer {
    /// `[inner, c]` each.
    private var parts: [(name: String, weight: Tensor)]
    private var packed: PackedConvolutions

    init(channels: Int, inner: Int, _ initializer: inout Initializer) {
        parts = []
        for name in ["to_q", "to_k", "to_v"] { parts.append((name, initializer.uniform([inner, channels], fanIn: channels))) }
        packed = PackedConvolutions(initializer.precision)
    }

    /// `[3 · inner, c]`
    private var weight: Tensor {
        let weight = Tensor.joiningImages(parts.map(\.weight))
        for part in parts { part.weight.releasePages() }
        return weight
    }

    /// - Parameter x: `[n, h, w, c]`.
    /// - Returns: `[n, h, w, 3 · inner]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        kept.keep(x)
        return packed.forward(weight).apply(x, bias: nil, stride: 1)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout QueryKeyValue) -> Tensor {
        let x = kept.take()
        var dweight = Tensor(zeros: [dy.c, x.c])
        dweight.addConvolutionGradient(dy, at: x, stride: 1)
        let inner = dy.c / parts.count
        for i in parts.indices { gradient.parts[i].weight.add(dweight.images(i * inner..<(i + 1) * inner)) }
        return packed.backward(weight).apply(dy, bias: nil, stride: 1)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        for i in parts.indices { visitor(path / parts[i].name / "weight", .learned, &parts[i].weight) }
        packed = PackedConvolutions(packed.precision)
    }
}
