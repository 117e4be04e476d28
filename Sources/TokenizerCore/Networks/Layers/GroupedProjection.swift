import Compute

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
        return project(dy, with: PackedGroups(transposing: weight))
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
    }
}
