import Glibc

/// What theory says about the mean squared error of Gaussian sources at a given rate.
package enum RateDistortion {
    /// The least error of unit-variance white noise at `rate` bits per number, by any code of any length.
    package static func shannon(rate: Double) -> Double {
        exp2(-2 * rate)
    }

    /// The error of unit-variance white noise in `d` dimensions, quantised by the best known lattice's cells at the density that suits the
    /// noise, at `rate` bits per number; exact as the rate grows.
    ///
    /// Source: Zador, 1982, and Gersho, 1979: G · ‖p‖_{d/(d+2)} · N^{−2/d}.
    static func zador(d: Int, rate: Double) -> Double {
        let norm = 2 * Double.pi * pow(Double(d + 2) / Double(d), Double(d + 2) / 2)
        return normalizedSecondMoment(d) * norm * exp2(-2 * rate)
    }

    /// The least mean error of independent Gaussian numbers with these variances when `bits` are spent on all of them together.
    ///
    /// Reverse water-filling: no number's error exceeds the level, and only those of larger variance receive bits.
    static func waterFilling(variances: [Double], bits: Double) -> Double {
        let sorted = variances.map { max($0, .leastNormalMagnitude) }.sorted(by: >)
        var logarithms = 0.0
        // The numbers above the level are the strongest ones; with the right count the level lies between the last of them and the next.
        for (index, variance) in sorted.enumerated() {
            logarithms += log2(variance)
            let count = Double(index + 1)
            let level = exp2((logarithms - 2 * bits) / count)
            if level <= variance, index + 1 == sorted.count || level >= sorted[index + 1] {
                return (level * count + sorted[(index + 1)...].reduce(0, +)) / Double(sorted.count)
            }
        }
        return sorted.reduce(0, +) / Double(sorted.count)
    }

    /// Best known second moments of lattice cells per dimension. Source: Conway and Sloane, Sphere Packings, Lattices and Groups, table 2.3.
    private static let secondMoments: [(d: Int, moment: Double)] = [
        (1, 0.083333), (2, 0.080188), (3, 0.078543), (4, 0.076603), (5, 0.075625), (6, 0.074244), (7, 0.073116), (8, 0.071682),
        (12, 0.070100), (16, 0.068299), (24, 0.065771),
    ]

    /// Between and beyond known dimensions, interpolated in 1/d towards a ball's 1/2πe.
    private static func normalizedSecondMoment(_ d: Int) -> Double {
        guard let above = secondMoments.firstIndex(where: { $0.d >= d }) else {
            let (last, limit) = (secondMoments.last!, 1 / (2 * Double.pi * M_E))
            return limit + (last.moment - limit) * Double(last.d) / Double(d)
        }
        guard secondMoments[above].d != d else { return secondMoments[above].moment }
        let (low, high) = (secondMoments[above - 1], secondMoments[above])
        let share = (1 / Double(low.d) - 1 / Double(d)) / (1 / Double(low.d) - 1 / Double(high.d))
        return low.moment + (high.moment - low.moment) * share
    }
}
