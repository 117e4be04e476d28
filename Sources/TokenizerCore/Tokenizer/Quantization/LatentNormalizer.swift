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
        self.init(fitting: latents, of: latents.count, ofChannels: false) { _, add in add() }
    }

    /// The statistics of each channel of `latents`, the same at every site: what codes that several sites share ask for, and what holds at
    /// any image size.
    package init(fittingChannelsOf latents: Latents) {
        self.init(fitting: latents, of: latents.count, ofChannels: true) { _, add in add() }
    }

    /// Adds up what several processes have of a sum, one after the other: each calls `add` when it has in `sums` what those before it have added.
    package typealias Summation = (_ sums: UnsafeMutableBufferPointer<Double>, _ add: () -> Void) -> Void

    /// - Parameters:
    ///   - latents: those of this process.
    ///   - count: images of all processes.
    ///   - ofChannels: whether the sites of a channel have one statistic.
    package init(fitting latents: Latents, of count: Int, ofChannels: Bool, _ summation: Summation) {
        let shape = latents.shape
        let sites = ofChannels ? shape.sites : 1
        let rows = latents.map.reshaped([latents.count * sites, shape.count / sites])
        let spread = { (x: Tensor) in Tensor(repeatElement(x.values, count: sites).flatMap { $0 }, shape: shape.map) }
        let (mean, deviation) = Self.statistics(rows, of: count * sites, summation)
        self.init(mean: spread(mean), deviation: spread(deviation))
    }

    /// - Parameter rows: `[own, count]`, of `n` in all.
    /// - Returns: mean and deviation of every column, `[count]` each.
    private static func statistics(_ rows: Tensor, of n: Int, _ summation: Summation) -> (mean: Tensor, deviation: Tensor) {
        let means = sums(of: rows, summation).map { $0 / Double(n) }
        let deviations = sums(of: rows, squaredFrom: means, summation).map { $0 > 0 ? Float(($0 / Double(n)).squareRoot()) : 1 }
        return (Tensor(means.map { Float($0) }, shape: [rows.c]), Tensor(deviations, shape: [rows.c]))
    }

    private static let columnsOfPiece = 256

    /// The sum of each column, or of its squared distances from what `means` has for it.
    private static func sums(of rows: Tensor, squaredFrom means: [Double]? = nil, _ summation: Summation) -> [Double] {
        var sums = [Double](repeating: 0, count: rows.c)
        rows.withPointer { x in
            sums.withUnsafeMutableBufferPointer { sums in
                summation(sums) {
                    Workers.forEach((sums.count + columnsOfPiece - 1) / columnsOfPiece) { piece in
                        let columns = piece * columnsOfPiece..<min((piece + 1) * columnsOfPiece, sums.count)
                        for i in 0..<rows.n { add(x + i * sums.count, columns, to: sums.baseAddress!, squaredFrom: means) }
                    }
                }
            }
        }
        return sums
    }

    /// - Parameter x: a row.
    private static func add(
        _ x: UnsafePointer<Float>, _ columns: Range<Int>, to sums: UnsafeMutablePointer<Double>, squaredFrom means: [Double]?
    ) {
        guard let means else {
            for j in columns { sums[j] += Double(x[j]) }
            return
        }
        means.withUnsafeBufferPointer { means in
            for j in columns {
                let difference = Double(x[j]) - means[j]
                sums[j] += difference * difference
            }
        }
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

    /// The gradient for what ``restore(_:)`` was given, from the one for its result.
    package func gradient(ofRestoring gradient: consuming Latents) -> Latents {
        apply(gradient) { d, _, deviation in d * deviation }
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
