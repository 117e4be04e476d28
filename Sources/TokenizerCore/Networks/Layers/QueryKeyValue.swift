import Compute

/// The projections to queries, keys and values, one after the other in the channels: three matrices in files, one product here.
///
/// Source: diffusers `SanaMultiscaleLinearAttention`, `to_q`, `to_k` and `to_v`.
package struct QueryKeyValue: Layer {
    private static let names = ["to_q", "to_k", "to_v"]
    /// `[inner, c]` each, one for each name.
    private var packed: Derived<[Tensor], LinearMap>
    private let precision: Precision

    init(channels: Int, inner: Int, _ initializer: inout Initializer) {
        packed = Derived([])
        for _ in Self.names { packed.source.append(initializer.uniform([inner, channels], fanIn: channels)) }
        precision = initializer.precision
    }

    /// Of the matrix `[3 · inner, c]`.
    private var map: LinearMap {
        packed.form { parts in
            let weight = Tensor.joiningImages(parts)
            for part in parts { part.releasePages() }
            return LinearMap(weight, precision: precision)
        }
    }

    /// - Parameter x: `[n, h, w, c]`.
    /// - Returns: `[n, h, w, 3 · inner]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        kept.keep(x)
        return map.forward.apply(x, bias: nil)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout QueryKeyValue) -> Tensor {
        let x = kept.take()
        var dweight = Tensor(zeros: [dy.c, x.c])
        dweight.addConvolutionGradient(dy, at: x, stride: 1)
        let inner = dy.c / Self.names.count
        for i in Self.names.indices { gradient.packed.source[i].add(dweight.images(i * inner..<(i + 1) * inner)) }
        kept.finish(gradient)
        return map.backward.apply(dy, bias: nil)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        for (i, name) in Self.names.enumerated() { visitor(path / name / "weight", .learned, &packed.source[i]) }
    }
}
