import Compute

/// The largest singular value of a convolution's weights, read as a matrix `[out, in · k · k]`, and its vectors.
struct SpectralNorm {
    let value: Double
    /// Of unit length.
    let left: Tensor
    private let right: [Float]
    /// The weights before they were divided.
    private let weight: Tensor

    /// One step of power iteration from `left`.
    init(_ weight: Tensor, left: Tensor) {
        let (rows, columns) = (weight.shape[0], weight.count / weight.shape[0])
        let (matrix, start) = (weight.values, left.values)
        var right = [Float](repeating: 0, count: columns)
        for row in 0..<rows {
            for column in 0..<columns { right[column] += matrix[row * columns + column] * start[row] }
        }
        Self.normalize(&right)
        var product = (0..<rows).map { row in
            var sum: Float = 0
            for column in 0..<columns { sum += matrix[row * columns + column] * right[column] }
            return sum
        }
        value = max(Self.length(product), 1e-12)
        Self.normalize(&product)
        (self.left, self.right, self.weight) = (Tensor(product, shape: [rows]), right, weight)
    }

    /// What the gradient for weight / value is for weight: (g − ⟨g, w / value⟩ · left · rightᵀ) / value.
    func undivide(_ gradient: inout Tensor) {
        let (columns, count) = (right.count, weight.count)
        let left = left.values
        gradient.withMutablePointer { gradient in
            weight.withPointer { weight in
                var along = 0.0
                for i in 0..<count { along += Double(gradient[i]) * Double(weight[i]) }
                let (share, scale) = (Float(along / value), Float(1 / value))
                for (row, left) in left.enumerated() {
                    let (along, line) = (share * left, gradient + row * columns)
                    for column in 0..<columns { line[column] = (line[column] - along * right[column]) * scale }
                }
            }
        }
    }

    private static func length(_ vector: [Float]) -> Double { vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }

    private static func normalize(_ vector: inout [Float]) {
        let scale = Float(1 / max(length(vector), 1e-12))
        for i in vector.indices { vector[i] *= scale }
    }
}
