import Glibc

/// See ``DCTBaseline/Coding/entropy``.
struct EntropyCodedDCT {
    /// The quantised values in the layout of ``DCTBands/values``, and the mean bits of a picture.
    let coded: (values: [[Float]], bits: Double)

    /// Values below (1 − this) steps become zero; zeros are cheap, so rounding down pays. A quarter is near the best on photographs.
    private static let rounding: Float = 0.25
    private static let steps: ClosedRange<Float> = 1...4096

    init(_ bands: DCTBands, bits: Double) {
        var (fine, coarse) = (Self.steps.lowerBound, Self.steps.upperBound)
        for _ in 0..<16 {
            let step = (fine * coarse).squareRoot()
            if Self.bits(bands, step) > bits { fine = step } else { coarse = step }
        }
        coded = (bands.values.map { Self.drawn($0, coarse) }, Self.bits(bands, coarse))
    }

    private static func bits(_ bands: DCTBands, _ step: Float) -> Double {
        bands.values.reduce(0) { sum, values in
            // In a fixed order: a dictionary's differs from call to call, and with it the last digits of a sum.
            let counts = counts(values, step).values.map(\.count).sorted()
            return counts.reduce(sum) { $0 - Double($1) * log2(Double($1) / Double(values.count)) }
        } / Double(bands.images)
    }

    /// Every value replaced by the mean of those that share its level.
    private static func drawn(_ values: [Float], _ step: Float) -> [Float] {
        let means = counts(values, step).mapValues { Float($0.sum / Double($0.count)) }
        return values.map { means[level($0, step)]! }
    }

    private static func counts(_ values: [Float], _ step: Float) -> [Int: (count: Int, sum: Double)] {
        var counts: [Int: (count: Int, sum: Double)] = [:]
        // Most values are zero; they are counted without a look into the table.
        var (zeros, zeroSum) = (0, 0.0)
        let limit = (1 - rounding) * step
        for value in values {
            if abs(value) < limit {
                zeros += 1
                zeroSum += Double(value)
            } else {
                let level = level(value, step)
                let before = counts[level] ?? (0, 0)
                counts[level] = (before.count + 1, before.sum + Double(value))
            }
        }
        if zeros > 0 { counts[0] = (zeros, zeroSum) }
        return counts
    }

    private static func level(_ value: Float, _ step: Float) -> Int {
        guard abs(value) >= (1 - rounding) * step else { return 0 }
        let size = Int(abs(value) / step + rounding)
        return value < 0 ? -size : size
    }
}
