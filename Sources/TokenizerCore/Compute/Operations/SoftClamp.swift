import Glibc

/// `3 · tanh(x / 3)`: numbers within ±3, and those near zero almost as they are.
///
/// Source: diffusers `DecoderTiny.forward`.
package enum SoftClamp {
    private static let limit: Float = 3

    /// In place where nobody else holds `x`.
    package static func forward(_ x: consuming Tensor) -> Tensor {
        let count = x.count
        var y = consume x
        y.withMutablePointer { y in
            RowPieces.forEach(rows: count, width: 1) { range in
                for i in range { y[i] = limit * tanhf(y[i] / limit) }
            }
        }
        return y
    }

    /// The gradient for `x`, given the one for the result.
    package static func backward(_ dy: consuming Tensor, at x: Tensor) -> Tensor {
        let count = x.count
        var dx = consume dy
        withPointers(writing: &dx, reading: x) { dx, x in
            RowPieces.forEach(rows: count, width: 1) { range in
                for i in range {
                    let bent = tanhf(x[i] / limit)
                    dx[i] *= 1 - bent * bent
                }
            }
        }
        return dx
    }
}
