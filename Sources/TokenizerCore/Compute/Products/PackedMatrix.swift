import CKernels

/// The weights of a linear layer or 1×1 convolution, laid out for ``project(_:with:bias:activation:)``.
package final class PackedMatrix: Sendable {
    enum Layout: Sendable {
        case float32(WeightPanels)
        case bfloat16(BFloat16Weights)
    }

    let k: Int
    let n: Int
    let layout: Layout

    /// - Parameter weight: `[out, in]` or `[out, in, 1, 1]`, as in PyTorch.
    package init(_ weight: Tensor, precision: Precision = .float32) {
        precondition(weight.shape.count >= 2, "a matrix of weights has at least two extents, got \(weight.shape)")
        (n, k) = (weight.shape[0], weight.shape[1])
        precondition(weight.count == n * k, "only a 1×1 convolution is a matrix, got \(weight.shape)")
        switch precision {
        case .float32: layout = .float32(WeightPanels(weight, n: n, c: k, taps: 1))
        case .bfloat16: layout = .bfloat16(BFloat16Weights(weight, n: n, c: k, size: 1))
        }
    }

    /// The transposed matrix, with which the gradient for the input is formed.
    ///
    /// - Parameter weight: as for `init(_:)`.
    package init(transposing weight: Tensor) {
        let (k, n) = (weight.shape[0], weight.count / weight.shape[0])
        (self.k, self.n) = (k, n)
        layout = .float32(weight.withPointer { WeightPanels(rows: $0, k: k, n: n) })
    }
}

/// `y = activation(x · Wᵀ + bias)` for every row of x.
///
/// Sums are formed in fp32, in runs whose length depends on the processor alone (or as ``Precision`` says), whatever other rows there
/// are.
///
/// - Parameters:
///   - x: `[…, in]`.
///   - bias: `[out]`.
///   - activation: applied to the results.
/// - Returns: `[…, out]`.
package func project(_ x: Tensor, with weights: PackedMatrix, bias: Tensor? = nil, activation: Activation? = nil) -> Tensor {
    let (k, n) = (weights.k, weights.n)
    precondition(x.c == k, "a projection of \(k) channels got \(x.shape)")
    precondition(bias.map { $0.count == n } ?? true, "a projection to \(n) channels got a bias of \(bias!.shape)")
    switch weights.layout {
    case .float32(let panels): return project(x, with: panels, bias, activation)
    case .bfloat16(let weights):
        let column = x.reshaped([1, x.rows, 1, k])
        return convolve(column, with: weights, bias: bias, stride: 1, activation: activation).reshaped(x.shape.dropLast() + [n])
    }
}

private func project(_ x: Tensor, with panels: WeightPanels, _ bias: Tensor?, _ activation: Activation?) -> Tensor {
    let (k, n) = (panels.k, panels.n)
    let kernels = ComputeContext.current.kernels
    let pieces = ProductPieces(rows: x.rows, columns: n)
    var y = Tensor(uninitialized: x.shape.dropLast() + [n])
    let cost = ComputeProfile.Cost(multiplications: x.rows * k * n, floats: x.count + k * n + y.count)
    withPointers(writing: &y, reading: x, bias) { y, x, bias in
        Workers.forEach(pieces.count, operation: "1×1", cost: cost) { piece in
            let (rows, columns) = pieces[piece]
            let (top, left) = (rows.lowerBound, columns.lowerBound)
            panels.withPointer(fromColumn: left) { panels in
                kernels.multiply(
                    rows.count, columns.count, k, x + top * k, k, panels, y + top * n + left, n, bias.map { $0 + left },
                    revq_activation(activation))
            }
        }
    }
    return y
}

extension Tensor? {
    /// Passes a pointer to the tensor's elements, or nil where there is no tensor.
    package func withPointer<R>(_ body: (UnsafePointer<Float>?) throws -> R) rethrows -> R {
        guard let tensor = self else { return try body(nil) }
        return try tensor.withPointer { try body($0) }
    }

    /// The same to write.
    package mutating func withMutablePointer<R>(_ body: (UnsafeMutablePointer<Float>?) throws -> R) rethrows -> R {
        guard self != nil else { return try body(nil) }
        return try self!.withMutablePointer { try body($0) }
    }
}

extension revq_activation {
    /// What the kernels call `activation`.
    init(_ activation: Activation?) {
        switch activation {
        case nil: self = .REVQ_IDENTITY
        case .relu: self = .REVQ_RELU
        case .silu: self = .REVQ_SILU
        }
    }
}
