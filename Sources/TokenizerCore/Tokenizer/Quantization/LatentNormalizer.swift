import Compute
import Networks

/// Brings every element of the latents to mean 0 and deviation 1: z = (x − μ) / σ.
///
/// Source: ReVQ (arXiv 2507.10547); population variance, no epsilon.
package struct LatentNormalizer: Parameterized {
    /// Each `[C·H·W]`.
    package private(set) var mean, deviation: Tensor

    /// - Precondition: equal counts.
    package init(mean: Tensor, deviation: Tensor) {
        precondition(mean.shape == deviation.shape, "means of \(mean.shape) and deviations of \(deviation.shape)")
        (self.mean, self.deviation) = (mean, deviation)
    }

    /// The statistics of `latents`, `[n, C·H·W]`, in double precision. An element that never varies keeps deviation 1.
    package init(fitting latents: Tensor) {
        let (n, count) = (latents.n, latents.c)
        var (mean, deviation) = (Tensor(uninitialized: [count]), Tensor(uninitialized: [count]))
        latents.withPointer { x in
            mean.withMutablePointer { mean in
                deviation.withMutablePointer { deviation in
                    Workers.forEach((count + Self.elementsPerPiece - 1) / Self.elementsPerPiece) { piece in
                        let first = piece * Self.elementsPerPiece
                        let own = min(Self.elementsPerPiece, count - first)
                        Self.fit(x + first, n, stride: count, own, mean + first, deviation + first)
                    }
                }
            }
        }
        (self.mean, self.deviation) = (mean, deviation)
    }

    private static let elementsPerPiece = 256

    /// The same for `count` elements of rows that are `stride` apart.
    private static func fit(
        _ x: UnsafePointer<Float>, _ n: Int, stride: Int, _ count: Int, _ mean: UnsafeMutablePointer<Float>,
        _ deviation: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * count) { both in
            both.initialize(repeating: 0)
            let (sums, squares) = (both.baseAddress!, both.baseAddress! + count)
            for i in 0..<n { for j in 0..<count { sums[j] += Double(x[i * stride + j]) } }
            for j in 0..<count { sums[j] /= Double(n) }
            for i in 0..<n {
                for j in 0..<count {
                    let difference = Double(x[i * stride + j]) - sums[j]
                    squares[j] += difference * difference
                }
            }
            for j in 0..<count {
                mean[j] = Float(sums[j])
                deviation[j] = squares[j] > 0 ? Float((squares[j] / Double(n)).squareRoot()) : 1
            }
        }
    }

    /// The statistics of each channel of `latents`, `[n, C·H·W]`, the same at every site: what codes that several sites share ask for,
    /// and what holds at any image size.
    package init(fittingChannelsOf latents: Tensor, shape: LatentShape) {
        let sites = shape.height * shape.width
        let rows = latents.swappingInnerAxes(outer: latents.n, shape.channels, sites).reshaped([latents.n * sites, shape.channels])
        let channels = LatentNormalizer(fitting: rows)
        let spread = { (x: Tensor) in Tensor(x.values.flatMap { repeatElement($0, count: sites) }, shape: [shape.count]) }
        self.init(mean: spread(channels.mean), deviation: spread(channels.deviation))
    }

    /// - Parameter latents: `[n, C·H·W]`.
    package func normalize(_ latents: consuming Tensor) -> Tensor {
        apply(latents) { x, mean, deviation in (x - mean) / deviation }
    }

    /// The inverse of ``normalize(_:)``.
    package func restore(_ latents: consuming Tensor) -> Tensor {
        apply(latents) { z, mean, deviation in z * deviation + mean }
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        visitor(path / "mean", .measured, &mean)
        visitor(path / "std", .measured, &deviation)
    }

    private func apply(_ latents: consuming Tensor, _ element: (Float, Float, Float) -> Float) -> Tensor {
        precondition(latents.c == mean.count, "a normaliser of \(mean.count) elements got \(latents.shape)")
        let (n, count) = (latents.n, latents.c)
        var result = consume latents
        result.withMutablePointer { x in
            mean.withPointer { mean in
                deviation.withPointer { deviation in
                    RowPieces.forEach(rows: n, width: count) { rows in
                        for i in rows {
                            for j in 0..<count { x[i * count + j] = element(x[i * count + j], mean[j], deviation[j]) }
                        }
                    }
                }
            }
        }
        return result
    }
}
