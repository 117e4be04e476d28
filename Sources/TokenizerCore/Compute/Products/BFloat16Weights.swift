import CKernels

/// Weights rounded to bf16 and laid out for ``convolve(_:with:bias:stride:activation:)`` and ``project(_:with:bias:activation:)``,
/// the same for every ``BFloat16Unit``: half the memory of fp32.
package struct BFloat16Weights: Sendable {
    let size: Int
    let c: Int
    let n: Int
    /// Whether they are for the picture in which each pixel is repeated twice in both directions: then a kernel of 2×2 sums of taps
    /// for each of the four pixels that one becomes.
    let isEnlarging: Bool
    /// Two numbers in the place of one.
    private let storage: Tensor

    /// - Parameter weight: `n · c · size²` numbers in the order `[out, in, k, k]`.
    init(_ weight: Tensor, n: Int, c: Int, size: Int, enlarging isEnlarging: Bool = false) {
        precondition(weight.count == n * c * size * size, "weights of shape \(weight.shape) are not \(n)×\(c)×\(size)×\(size)")
        precondition(!isEnlarging || size == 3, "enlarging is folded into 3×3 kernels, got \(weight.shape)")
        let panels = (n + WeightPanels.width - 1) / WeightPanels.width
        let panel = revq_bfloat16_panel(isEnlarging, c, size)
        var storage = Tensor(uninitialized: [panels, panel / 2], isLasting: true)
        storage.withMutablePointer { target in
            target.withMemoryRebound(to: UInt16.self, capacity: panels * panel) { target in
                weight.withPointer { source in
                    Workers.forEach(panels) { revq_pack_bfloat16_panel(isEnlarging, source, n, c, size, $0, target + $0 * panel) }
                }
            }
        }
        weight.releasePages()
        (self.size, self.c, self.n, self.isEnlarging, self.storage) = (size, c, n, isEnlarging, storage)
    }

    func withPointer<R>(_ body: (UnsafePointer<UInt16>) -> R) -> R {
        storage.withPointer { $0.withMemoryRebound(to: UInt16.self, capacity: 2 * storage.count, body) }
    }
}
