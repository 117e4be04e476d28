/// A 1×1 convolution in which each group of channels sees only itself.
///
/// Source: `torch.nn.Conv2d(c, c, 1, groups: c / size, bias: false)`.
public struct GroupedProjection: Layer {
    /// `[c, size, 1, 1]`
    var weight: Tensor

    private var size: Int { weight.shape[1] }
    private var groups: Int { weight.shape[0] / size }

    init(_ channels: Int, groupSize: Int, _ initializer: inout Initializer) {
        weight = initializer.uniform([channels, groupSize, 1, 1], fanIn: groupSize)
    }

    /// - Parameter x: `[n, h, w, c]`.
    public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        precondition(x.c == weight.shape[0], "a grouped projection of \(weight.shape[0]) channels got \(x.shape)")
        kept.keep(x)
        return project(x, with: PackedGroups(weight))
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout GroupedProjection) -> Tensor {
        let x = kept.take()
        let (c, size, rows) = (x.c, size, x.rows)
        x.withPointer { x in
            dy.withPointer { dy in
                gradient.weight.withMutablePointer { dweight in
                    Workers.forEach(groups) { group in
                        MatrixProduct.multiply(
                            MatrixView(base: dy + group * size, stride: c).transposed, MatrixView(base: x + group * size, stride: c),
                            into: dweight + group * size * size, stride: size, m: size, n: size, k: rows, accumulating: true)
                    }
                }
            }
        }
        return project(dy, with: PackedGroups(transposing: weight))
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "weight", .learned, &weight)
    }
}
