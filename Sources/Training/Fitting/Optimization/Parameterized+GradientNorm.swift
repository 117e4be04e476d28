import Networks

extension Parameterized {
    /// ‖g‖ over all learned tensors, in double precision.
    package var gradientNorm: Double {
        tensors.reduce(0) { $0 + ($1.role == .learned ? $1.tensor.sumOfSquares : 0) }.squareRoot()
    }

    /// The factor that brings the norm down to `limit`; 1 when it is not above.
    package func clippingFactor(limit: Double) -> Float {
        GradientClipping.factor(norm: gradientNorm, limit: limit)
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

extension CodeGradient {
    /// The factor that brings the norm down to `limit`; 1 when it is not above.
    package func clippingFactor(limit: Double) -> Float {
        GradientClipping.factor(norm: norm, limit: limit)
    }
}

/// Source: `torch.nn.utils.clip_grad_norm_`.
private enum GradientClipping {
    static func factor(norm: Double, limit: Double) -> Float {
        Float(min(1, limit / (norm + 1e-6)))
    }
}
