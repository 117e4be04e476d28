import Glibc

/// The structural similarity index of two grey pictures.
///
/// Local means, variances and the covariance are weighted by an 11×11 Gaussian of deviation 1.5 that stays inside the picture;
/// K₁ = 0.01, K₂ = 0.03, L = 255, variances divided by n.
/// Source: Wang et al., "Image quality assessment: from error visibility to structural similarity" (2004).
package enum StructuralSimilarity {
    package static let window = 11
    private static let c1 = 0.01 * 255 * (0.01 * 255)
    private static let c2 = 0.03 * 255 * (0.03 * 255)

    private static let gaussian: [Double] = {
        let weights = (0..<window).map { exp(-0.5 * Double(($0 - window / 2) * ($0 - window / 2)) / (1.5 * 1.5)) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }()

    /// The mean index over all windows, at most 1.
    ///
    /// - Parameters:
    ///   - a: brightness, 0 … 255, row-major.
    ///   - width: of both pictures.
    /// - Precondition: equal sizes, at least 11×11.
    package static func mean(_ a: [Double], _ b: [Double], width: Int) -> Double {
        precondition(a.count == b.count && a.count % width == 0, "\(a.count) and \(b.count) pixels are no pictures of width \(width)")
        precondition(width >= window && a.count / width >= window, "a window of \(window) does not fit into \(a.count) pixels of width \(width)")
        let meanA = blurred(a, width)
        let meanB = blurred(b, width)
        let squareA = blurred(zip(a, a).map(*), width)
        let squareB = blurred(zip(b, b).map(*), width)
        let product = blurred(zip(a, b).map(*), width)
        let sum = meanA.indices.reduce(0.0) { sum, i in
            let (x, y) = (meanA[i], meanB[i])
            let (varianceA, varianceB, covariance) = (squareA[i] - x * x, squareB[i] - y * y, product[i] - x * y)
            return sum + (2 * x * y + c1) * (2 * covariance + c2) / ((x * x + y * y + c1) * (varianceA + varianceB + c2))
        }
        return sum / Double(meanA.count)
    }

    /// The same of the pictures' brightness; nil where they are smaller than the window.
    /// - Precondition: equal sizes.
    package static func mean(_ a: RGBImage, _ b: RGBImage) -> Double? {
        min(a.width, a.height) >= window ? mean(a.luma, b.luma, width: a.width) : nil
    }

    /// Means by the Gaussian window, one per place that it fits: rows first, then columns.
    private static func blurred(_ x: [Double], _ width: Int) -> [Double] {
        let (height, narrow) = (x.count / width, width - window + 1)
        var rows = [Double](repeating: 0, count: height * narrow)
        var result = [Double](repeating: 0, count: (height - window + 1) * narrow)
        x.withUnsafeBufferPointer { x in
            rows.withUnsafeMutableBufferPointer { rows in
                for row in 0..<height {
                    for (tap, weight) in gaussian.enumerated() {
                        add(x.baseAddress! + row * width + tap, times: weight, to: rows.baseAddress! + row * narrow, count: narrow)
                    }
                }
                result.withUnsafeMutableBufferPointer { result in
                    for row in 0..<height - window + 1 {
                        for (tap, weight) in gaussian.enumerated() {
                            add(rows.baseAddress! + (row + tap) * narrow, times: weight, to: result.baseAddress! + row * narrow, count: narrow)
                        }
                    }
                }
            }
        }
        return result
    }

    private static func add(_ x: UnsafePointer<Double>, times weight: Double, to sums: UnsafeMutablePointer<Double>, count: Int) {
        for i in 0..<count { sums[i] += weight * x[i] }
    }
}
