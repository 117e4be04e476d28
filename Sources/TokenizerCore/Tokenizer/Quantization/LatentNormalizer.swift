import Compute
import Networks

/// Brings every element of the latents to mean 0 and deviation 1: z = (x − μ) / σ.
///
/// Source: ReVQ (arXiv 2507.10547); population variance, no epsilon.
package struct LatentNormalizer: Parameterized {
    /// Each `[h, w, c]`, as latents are computed with; files have them in C,H,W order.
    package private(set) var mean, deviation: Tensor

    /// - Precondition: both are `[h, w, c]`.
    private init(mean: Tensor, deviation: Tensor) {
        (self.mean, self.deviation) = (mean, deviation)
    }

    /// - Parameters:
    ///   - mean: `[C·H·W]`.
    ///   - deviation: `[C·H·W]`, positive.
    package init(mean: Tensor, deviation: Tensor, shape: LatentShape) {
        self.init(mean: Self.map(mean, shape), deviation: Self.map(deviation, shape))
    }

    /// One whose numbers are loaded next.
    package init(placeholder shape: LatentShape) {
        self.init(mean: Tensor(zeros: shape.map), deviation: Tensor(zeros: shape.map))
    }

    /// The statistics of `latents` in double precision. An element that never varies keeps deviation 1.
    package init(fitting latents: Latents) {
        let (mean, deviation) = Self.statistics(latents.map.reshaped([latents.count, latents.shape.count]))
        self.init(mean: mean.reshaped(latents.shape.map), deviation: deviation.reshaped(latents.shape.map))
    }

    /// - Parameter rows: `[n, count]`.
    /// - Returns: mean and deviation of every column, `[count]` each.
    private static func statistics(_ rows: Tensor) -> (mean: Tensor, deviation: Tensor) {
        let (n, count) = (rows.n, rows.c)
        var (mean, deviation) = (Tensor(uninitialized: [count]), Tensor(uninitialized: [count]))
        rows.withPointer { x in
            mean.withMutablePointer { mean in
                deviation.withMutablePointer { deviation in
                    Workers.forEach((count + elementsPerPiece - 1) / elementsPerPiece) { piece in
                        let first = piece * elementsPerPiece
                        let own = min(elementsPerPiece, count - first)
                        fit(x + first, n, stride: count, own, mean + first, deviation + first)
                    }
                }
            }
        }
        return (mean, deviation)
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

    /// The statistics of each channel of `latents`, the same at every site: what codes that several sites share ask for, and what holds at
    /// any image size.
    package init(fittingChannelsOf latents: Latents) {
        let shape = latents.shape
        let channels = Self.statistics(latents.map.reshaped([latents.count * shape.sites, shape.channels]))
        let spread = { (x: Tensor) in Tensor(repeatElement(x.values, count: shape.sites).flatMap { $0 }, shape: shape.map) }
        self.init(mean: spread(channels.mean), deviation: spread(channels.deviation))
    }

    /// The extents of the latents that it is for.
    package var shape: LatentShape { LatentShape(channels: mean.shape[2], height: mean.shape[0], width: mean.shape[1]) }

    package func normalize(_ latents: consuming Latents) -> Latents {
        apply(latents) { x, mean, deviation in (x - mean) / deviation }
    }

    /// The inverse of ``normalize(_:)``.
    package func restore(_ latents: consuming Latents) -> Latents {
        apply(latents) { z, mean, deviation in z * deviation + mean }
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        var (means, deviations) = (rows(mean), rows(deviation))
        visitor(path / "mean", .measured, &means)
        visitor(path / "std", .measured, &deviations)
        (mean, deviation) = (Self.map(means, shape), Self.map(deviations, shape))
    }

    /// `[h, w, c]` → `[C·H·W]`.
    private func rows(_ map: Tensor) -> Tensor {
        Latents(map.reshaped([1] + shape.map)).rows.reshaped([shape.count])
    }

    /// `[C·H·W]` → `[h, w, c]`.
    private static func map(_ rows: Tensor, _ shape: LatentShape) -> Tensor {
        precondition(rows.shape == [shape.count], "statistics of \(rows.shape) for latents of \(shape)")
        return Latents(rows: rows.reshaped([1, shape.count]), shape: shape).map.reshaped(shape.map)
    }

    private func apply(_ latents: consuming Latents, _ element: (Float, Float, Float) -> Float) -> Latents {
        precondition(latents.shape == shape, "a normaliser of latents of \(shape) got \(latents.shape)")
        let (n, count) = (latents.count, shape.count)
        var result = consume latents
        result.map.withMutablePointer { x in
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

extension LatentNormalizer {
    /// The same statistics for latents of another height and width; nil where they differ between the sites of a channel.
    package func resized(to other: LatentShape) -> LatentNormalizer? {
        func spread(_ statistics: Tensor) -> Tensor? {
            let values = statistics.values
            let first = Array(values.prefix(shape.channels))
            guard values.indices.allSatisfy({ values[$0] == first[$0 % shape.channels] }) else { return nil }
            return Tensor(repeatElement(first, count: other.sites).flatMap { $0 }, shape: other.map)
        }
        guard shape.channels == other.channels, let mean = spread(mean), let deviation = spread(deviation) else { return nil }
        return LatentNormalizer(mean: mean, deviation: deviation)
    }
}
