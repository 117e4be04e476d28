import CKernels

/// The weights of a 1×1 convolution in groups, laid out for `project(_:with:)`.
public final class PackedGroups: Sendable {
    let groups: Int
    let size: Int
    /// `[groups, size, 32]`
    let panels: Tensor

    /// - Parameter weight: `[c, size, 1, 1]` with size at most 32, as in PyTorch; group g has rows `g · size ..< (g + 1) · size`.
    public init(_ weight: Tensor) {
        precondition(
            weight.shape.count >= 2 && weight.count == weight.shape[0] * weight.shape[1]
                && 1...WeightPanels.width ~= weight.shape[1] && weight.shape[0] % weight.shape[1] == 0,
            "weights of groups are [c, size, 1, 1] with size at most \(WeightPanels.width), got \(weight.shape)")
        let (groups, size) = (weight.shape[0] / weight.shape[1], weight.shape[1])
        var panels = Tensor(uninitialized: [groups, size, WeightPanels.width])
        panels.withMutablePointer { target in
            weight.withPointer { source in
                for group in 0..<groups {
                    revq_pack_panel(source + group * size * size, size, size, 1, 0, target + group * size * WeightPanels.width)
                }
            }
        }
        (self.groups, self.size, self.panels) = (groups, size, panels)
    }
}

/// Multiplies each group of channels by its own matrix.
///
/// - Parameter x: `[…, c]`.
/// - Returns: the same shape.
///
/// Source: `torch.nn.functional.conv2d(x, weight, groups: c // size)` for a 1×1 kernel.
public func project(_ x: Tensor, with weights: PackedGroups) -> Tensor {
    let (groups, size) = (weights.groups, weights.size)
    let c = groups * size
    precondition(x.c == c, "a projection of \(groups) groups of \(size) channels got \(x.shape)")
    let kernels = InstructionSet.current.kernels
    let rows = x.rows
    var y = Tensor(uninitialized: x.shape)
    y.withMutablePointer { y in
        x.withPointer { x in
            weights.panels.withPointer { panels in
                RowPieces.forEach(rows: rows, width: c) { range in
                    kernels.multiply_groups(
                        range.count, groups, size, x + range.lowerBound * c, panels, y + range.lowerBound * c)
                }
            }
        }
    }
    return y
}
