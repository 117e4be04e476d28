import CKernels
import Locks

/// The weights of a k×k convolution, laid out for ``convolve(_:with:bias:stride:activation:)``. Each algorithm has its own layout,
/// made when it is first needed.
package final class PackedConvolution: Sendable {
    let size: Int
    let c: Int
    let n: Int
    let precision: Precision
    /// Whether pictures come several at a time, as in training: what is read of the weights then serves all of them.
    let servesBatches: Bool
    private let weight: Tensor
    private let layouts = Lock(Layouts())

    private struct Layouts {
        var direct: WeightPanels?
        var winograd: [revq_winograd: Tensor] = [:]
        /// By whether the picture is enlarged.
        var bfloat16: [Bool: BFloat16Weights] = [:]
    }

    /// - Parameter weight: `[out, in, k, k]` with odd k, as in PyTorch.
    package init(_ weight: Tensor, precision: Precision = .float32, servesBatches: Bool = false) {
        precondition(
            weight.shape.count == 4 && weight.shape[2] == weight.shape[3] && weight.shape[2] % 2 == 1,
            "convolution weights are [out, in, k, k] with odd k, got \(weight.shape)")
        (n, c, size) = (weight.shape[0], weight.shape[1], weight.shape[2])
        (self.weight, self.precision, self.servesBatches) = (weight, precision, servesBatches)
    }

    /// The matrix `[k · k · in, out]`.
    var direct: WeightPanels {
        layouts.withLock { layouts in
            if let made = layouts.direct { return made }
            let made = WeightPanels(weight, n: n, c: c, taps: size * size)
            layouts.direct = made
            return made
        }
    }

    /// The transformed kernels: 36 numbers for each pair of channels, 25 where the picture is enlarged first, 144 for 5×5.
    ///
    /// - Parameter isKept: whether they stay for the next picture; otherwise they are made anew for each, unless another's have stayed.
    func winograd(_ kind: revq_winograd, isKept: Bool) -> Tensor {
        guard isKept else { return layouts.withLock(\.winograd[kind]) ?? transformed(kind, isLasting: false) }
        return layouts.withLock { layouts in
            if let made = layouts.winograd[kind] { return made }
            let made = transformed(kind, isLasting: true)
            layouts.winograd[kind] = made
            return made
        }
    }

    /// The weights as bf16 numbers, for ``Precision/bfloat16``.
    func bfloat16(enlarging isEnlarging: Bool) -> BFloat16Weights {
        layouts.withLock { layouts in
            if let made = layouts.bfloat16[isEnlarging] { return made }
            let made = BFloat16Weights(weight, n: n, c: c, size: size, enlarging: isEnlarging)
            layouts.bfloat16[isEnlarging] = made
            return made
        }
    }

    private func transformed(_ kind: revq_winograd, isLasting: Bool) -> Tensor {
        precondition(size == (kind == .REVQ_FIVE_BY_FIVE ? 5 : 3), "\(weight.shape) are not the weights of this Winograd algorithm")
        let panels = (n + WeightPanels.width - 1) / WeightPanels.width
        var result = Tensor(uninitialized: [panels, Int(revq_winograd_weights(kind)), c, WeightPanels.width], isLasting: isLasting)
        withPointers(writing: &result, reading: weight) { target, source in
            Workers.forEach(panels) { revq_pack_winograd_panel(kind, source, n, c, $0, target) }
        }
        weight.releasePages()
        return result
    }
}
