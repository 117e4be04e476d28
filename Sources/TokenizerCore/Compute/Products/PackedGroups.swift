import CKernels

/// The weights of a 1×1 convolution in groups, laid out for `project(_:with:)`.
package final class PackedGroups: Sendable {
    let groups: [WeightPanels]
    let size: Int

    /// - Parameter weight: `[c, size, 1, 1]`, as in PyTorch; group g has rows `g · size ..< (g + 1) · size`.
    package init(_ weight: Tensor) {
        precondition(
            weight.shape.count >= 2 && weight.count == weight.shape[0] * weight.shape[1] && weight.shape[0] % weight.shape[1] == 0,
            "weights of groups are [c, size, 1, 1], got \(weight.shape)")
        let size = weight.shape[1]
        let matrices = weight.reshaped([weight.shape[0] / size, size, size])
        groups = (0..<matrices.n).map { WeightPanels(matrices.images($0..<$0 + 1), n: size, c: size, taps: 1) }
        self.size = size
    }

    /// Each group's matrix transposed, with which the gradient for the input is formed.
    package convenience init(transposing weight: Tensor) {
        let size = weight.shape[1]
        self.init(weight.swappingInnerAxes(outer: weight.shape[0] / size, size, size).reshaped(weight.shape))
    }
}

/// Multiplies each group of channels by its own matrix.
///
/// - Parameter x: `[…, c]`.
/// - Returns: the same shape.
///
/// Source: `torch.nn.functional.conv2d(x, weight, groups: c // size)` for a 1×1 kernel.
package func project(_ x: Tensor, with weights: PackedGroups) -> Tensor {
    let (groups, size) = (weights.groups, weights.size)
    let c = groups.count * size
    precondition(x.c == c, "a projection of \(groups.count) groups of \(size) channels got \(x.shape)")
    let kernels = ComputeContext.current.kernels
    let rows = x.rows
    var y = Tensor(uninitialized: x.shape)
    withPointers(writing: &y, reading: x) { y, x in
        RowPieces.forEach(rows: rows, width: c, operation: "1×1 in groups") { range in
            for (index, panels) in groups.enumerated() {
                let offset = range.lowerBound * c + index * size
                panels.withPointer(fromColumn: 0) {
                    kernels.multiply(range.count, size, size, x + offset, c, $0, y + offset, c, nil, .REVQ_IDENTITY)
                }
            }
        }
    }
    return y
}

extension Tensor {
    /// Adds to these weights of groups, `[c, size, 1, 1]`, their gradient.
    package mutating func addGroupedGradient(_ dy: Tensor, at x: Tensor) {
        let (c, size, rows) = (x.c, shape[1], x.rows)
        withPointers(writing: &self, reading: dy, x) { dweight, dy, x in
            Workers.forEach(c / size) { group in
                MatrixProduct.multiply(
                    MatrixView(base: dy + group * size, stride: c).transposed, MatrixView(base: x + group * size, stride: c),
                    into: dweight + group * size * size, stride: size, m: size, n: size, k: rows, accumulating: true)
            }
        }
    }
}
