extension Tensor {
    /// The sums and the sums of products of a matrix's columns: Σx as `[c]` and xᵀx as `[c, c]`, row-major.
    ///
    /// Bands of rows are multiplied in single precision and added up in double, which keeps about seven digits for any number of rows.
    package func moments() -> (sums: [Double], products: [Double]) {
        let (rows, c) = (self.rows, self.c)
        var sums = [Double](repeating: 0, count: c)
        var products = [Double](repeating: 0, count: c * c)
        var band = Tensor(uninitialized: [c, c])
        withPointer { x in
            for first in stride(from: 0, to: rows, by: 512) {
                let height = min(512, rows - first)
                let view = MatrixView(base: x + first * c, stride: c)
                band.withMutablePointer { band in
                    MatrixProduct.multiply(view.transposed, view, into: band, stride: c, m: c, n: c, k: height)
                    for i in 0..<c * c { products[i] += Double(band[i]) }
                }
                for row in first..<first + height {
                    for j in 0..<c { sums[j] += Double(x[row * c + j]) }
                }
            }
        }
        return (sums, products)
    }
}
