import CKernels

/// Normalises each row over its channels: `activation(x / √(mean x² + ε) · weight + bias) + shortcut`, in place where nobody else holds `x`.
///
/// - Parameters:
///   - x: `[…, c]`.
///   - weight: `[c]`.
///   - bias: `[c]`.
///   - shortcut: of the shape of `x`.
package func normalizeRMS(
    _ x: consuming Tensor, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation? = nil, adding shortcut: Tensor? = nil
) -> Tensor {
    let (rows, c, kernels) = (x.rows, x.c, ComputeContext.current.kernels)
    precondition(c == weight.count && c == bias.count, "RMSNorm over \(weight.count) channels got \(x.shape)")
    precondition(shortcut.map { $0.shape == x.shape } ?? true, "cannot add \(shortcut!.shape) to \(x.shape)")
    let floatsPerRow = shortcut == nil ? 2 * c : 3 * c
    var y = consume x
    withPointers(writing: &y, reading: weight, bias, shortcut) { y, weight, bias, shortcut in
        RowPieces.forEach(rows: rows, width: c, floatsPerRow: floatsPerRow, operation: "norm") { range in
            let offset = range.lowerBound * c
            kernels.rms_norm(
                y + offset, range.count, c, weight, bias, epsilon, revq_activation(activation), shortcut.map { $0 + offset }, y + offset)
        }
    }
    return y
}

/// The gradient for `x` of ``normalizeRMS(_:weight:bias:epsilon:activation:adding:)`` without activation; adds those for weight and bias.
package func normalizeRMSGradient(
    _ dy: consuming Tensor, at x: Tensor, weight: Tensor, epsilon: Float, addingTo dweight: inout Tensor, _ dbias: inout Tensor
) -> Tensor {
    let (rows, c, kernels) = (x.rows, x.c, ComputeContext.current.kernels)
    // Each piece of the rows has sums of its own, which are added in their order.
    let pieces = RowPieces.count(rows: rows, width: c)
    var (dweights, dbiases) = (Tensor(zeros: [pieces, c]), Tensor(zeros: [pieces, c]))
    var dx = consume dy
    withPointers(writing: &dx, &dweights, &dbiases, reading: x, weight) { dx, dweights, dbiases, x, weight in
        RowPieces.forEach(rows: rows, width: c) { range, piece in
            let start = range.lowerBound * c
            kernels.rms_norm_backward(
                x + start, range.count, c, weight, epsilon, dx + start, dweights + piece * c, dbiases + piece * c)
        }
    }
    dweight.addColumns(of: dweights)
    dbias.addColumns(of: dbiases)
    return dx
}
