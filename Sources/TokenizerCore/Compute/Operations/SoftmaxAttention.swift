import Glibc

/// Attention of every position of a picture to every other, with one head: `softmax(q·kᵀ / √c) · v`.
///
/// Queries are taken a few rows at a time, so that the similarities of all pairs, 67 MB for the 4,096 positions of a 512² picture, are never held
/// together; their number is fixed, so that a picture's result depends on nothing else.
///
/// Source: diffusers `Attention` as the middle of an autoencoder has it.
package enum SoftmaxAttention {
    /// Queries whose similarities are held together.
    package static let tileRows = 64

    /// - Parameters:
    ///   - query: `[n, h, w, c]`, and so are `key` and `value`.
    /// - Returns: `[n, h, w, c]`.
    package static func forward(query: Tensor, key: Tensor, value: Tensor) -> Tensor {
        let shape = Shape(query, key, value)
        var y = Tensor(uninitialized: query.shape)
        withPointers(writing: &y, reading: query, key, value) { y, query, key, value in
            Workers.forEach(shape.images * shape.tiles, operation: "softmax attention", cost: shape.cost(products: 2)) { piece in
                let image = piece / shape.tiles * shape.floatsPerImage
                let rows = shape.rows(ofTile: piece % shape.tiles)
                let start = image + rows.lowerBound * shape.c
                withScratch(rows.count * shape.positions) { weights in
                    shape.weigh(query + start, rows.count, key + image, into: weights)
                    MatrixProduct.multiply(
                        shape.weights(weights), shape.matrix(value + image), into: y + start, stride: shape.c, m: rows.count, n: shape.c,
                        k: shape.positions)
                }
            }
        }
        return y
    }

    /// The gradients for queries, keys and values.
    package static func backward(_ dy: Tensor, query: Tensor, key: Tensor, value: Tensor) -> (query: Tensor, key: Tensor, value: Tensor) {
        let shape = Shape(query, key, value)
        var dquery = Tensor(uninitialized: query.shape)
        var (dkey, dvalue) = (Tensor(zeros: query.shape), Tensor(zeros: query.shape))
        withPointers(writing: &dquery, &dkey, &dvalue, reading: dy, query, key, value) { dquery, dkey, dvalue, dy, query, key, value in
            // What the tiles of a picture give to its keys and values is added up in their order.
            Workers.forEach(shape.images, operation: "softmax attention gradient", cost: shape.cost(products: 5)) { image in
                let image = image * shape.floatsPerImage
                for tile in 0..<shape.tiles {
                    let rows = shape.rows(ofTile: tile)
                    let start = image + rows.lowerBound * shape.c
                    shape.differentiate(
                        dy + start, query + start, rows.count, key + image, value + image, dquery + start, dkey + image, dvalue + image)
                }
            }
        }
        return (dquery, dkey, dvalue)
    }

    private struct Shape {
        let images, positions, c: Int

        init(_ query: Tensor, _ key: Tensor, _ value: Tensor) {
            precondition(query.shape == key.shape && query.shape == value.shape, "attention of \(query.shape) to \(key.shape), \(value.shape)")
            (images, positions, c) = (query.n, query.h * query.w, query.c)
        }

        var floatsPerImage: Int { positions * c }
        var tiles: Int { (positions + tileRows - 1) / tileRows }
        func rows(ofTile tile: Int) -> Range<Int> { tile * tileRows..<min((tile + 1) * tileRows, positions) }
        func matrix(_ base: UnsafePointer<Float>) -> MatrixView { MatrixView(base: base, stride: c) }
        func weights(_ base: UnsafePointer<Float>) -> MatrixView { MatrixView(base: base, stride: positions) }
        private var scale: Float { 1 / Float(c).squareRoot() }

        func cost(products: Int) -> ComputeProfile.Cost {
            ComputeProfile.Cost(multiplications: images * products * positions * positions * c, floats: images * (products + 2) * floatsPerImage)
        }

        /// The weights of all positions for some queries, `[count, positions]`, each row adding up to 1.
        func weigh(_ query: UnsafePointer<Float>, _ count: Int, _ key: UnsafePointer<Float>, into weights: UnsafeMutablePointer<Float>) {
            MatrixProduct.multiply(matrix(query), matrix(key).transposed, into: weights, stride: positions, m: count, n: positions, k: c)
            for row in 0..<count {
                let weights = weights + row * positions
                var most = -Float.infinity
                for i in 0..<positions { most = max(most, weights[i]) }
                var sum: Float = 0
                for i in 0..<positions {
                    weights[i] = expf((weights[i] - most) * scale)
                    sum += weights[i]
                }
                let inverse = 1 / sum
                for i in 0..<positions { weights[i] *= inverse }
            }
        }

        /// What a tile of queries gives to all gradients.
        func differentiate(
            _ dy: UnsafePointer<Float>, _ query: UnsafePointer<Float>, _ count: Int, _ key: UnsafePointer<Float>, _ value: UnsafePointer<Float>,
            _ dquery: UnsafeMutablePointer<Float>, _ dkey: UnsafeMutablePointer<Float>, _ dvalue: UnsafeMutablePointer<Float>
        ) {
            withScratch(2 * count * positions) { weights in
                let dweights = weights + count * positions
                weigh(query, count, key, into: weights)
                MatrixProduct.multiply(
                    self.weights(weights).transposed, matrix(dy), into: dvalue, stride: c, m: positions, n: c, k: count, accumulating: true)
                MatrixProduct.multiply(matrix(dy), matrix(value).transposed, into: dweights, stride: positions, m: count, n: positions, k: c)
                for row in 0..<count { throughSoftmax(dweights + row * positions, weights + row * positions) }
                MatrixProduct.multiply(self.weights(dweights), matrix(key), into: dquery, stride: c, m: count, n: c, k: positions)
                MatrixProduct.multiply(
                    self.weights(dweights).transposed, matrix(query), into: dkey, stride: c, m: positions, n: c, k: count, accumulating: true)
            }
        }

        /// A row of dL/d(weight) becomes one of dL/d(q·k).
        private func throughSoftmax(_ dweights: UnsafeMutablePointer<Float>, _ weights: UnsafePointer<Float>) {
            var mean: Float = 0
            for i in 0..<positions { mean += dweights[i] * weights[i] }
            for i in 0..<positions { dweights[i] = (dweights[i] - mean) * weights[i] * scale }
        }
    }
}
