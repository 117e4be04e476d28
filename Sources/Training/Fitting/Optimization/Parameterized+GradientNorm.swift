import Networks

extension Parameterized {
    /// ‖g‖ over all learned tensors, in double precision.
    package var gradientNorm: Double {
        tensors.reduce(0) { $0 + ($1.role == .learned ? $1.tensor.sumOfSquares : 0) }.squareRoot()
    }

    package mutating func scale(by factor: Float) {
        visit(.root) { _, _, tensor in tensor.multiply(by: factor) }
    }

    /// Adds another model's tensors to this one's, one by one.
    package mutating func accumulate(_ other: Self) {
        let others = other.tensors
        var index = 0
        visit(.root) { _, _, tensor in
            tensor.add(others[index].tensor)
            index += 1
        }
    }
}

/// Source: `torch.nn.utils.clip_grad_norm_`.
package enum GradientClipping {
    /// What a gradient of this norm is multiplied by so that its norm is at most `limit`.
    package static func factor(norm: Double, limit: Double) -> Float {
        Float(min(1, limit / (norm + 1e-6)))
    }
}
