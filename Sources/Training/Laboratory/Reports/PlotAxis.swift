import Glibc
import Jobs

/// One axis of a plot: what it shows and how values become places.
package struct PlotAxis: Sendable {
    package enum Scale: Sendable {
        case linear
        /// Linear, with ticks at whole numbers only: epochs, steps, channels.
        case wholes
        /// Linear, or decades where the values are positive and the largest is many times the smallest: one outlier would press all others
        /// into a corner.
        case fitting
        /// Positive values; ticks at 1, 2 and 5 of each decade, or at decades alone where there are many.
        case decades
        /// Positive values; ticks at powers of two.
        case octaves
        /// Names at 1, 2, 3, …
        case names([String])
    }

    /// With its unit.
    package let label: String
    package let scale: Scale
    /// Values that the axis shows in any case.
    package let including: [Double]

    package init(_ label: String, _ scale: Scale = .linear, including: [Double] = []) {
        (self.label, self.scale, self.including) = (label, scale, including)
    }

    /// Between the smallest and the largest value of a linear axis.
    private static let mostSpread = 5.0

    /// With the scale that suits the values, where that was left open.
    func fitted(to values: [Double]) -> PlotAxis {
        guard case .fitting = scale else { return self }
        let values = (values + including).filter(\.isFinite)
        let isWide = values.min().map { $0 > 0 && values.max()! > Self.mostSpread * $0 } ?? false
        return PlotAxis(label, isWide ? .decades : .linear, including: including)
    }

    /// Whether the axis has a place for `value`.
    func shows(_ value: Double) -> Bool {
        switch scale {
        case .linear, .wholes, .fitting, .names: value.isFinite
        case .decades, .octaves: value.isFinite && value > 0
        }
    }

    /// The value as a number that is proportional to the place.
    func position(_ value: Double) -> Double {
        switch scale {
        case .linear, .wholes, .fitting, .names: value
        case .decades: log10(value)
        case .octaves: log2(value)
        }
    }

    /// First and last position, a little wider than the values.
    func range(of values: [Double]) -> ClosedRange<Double> {
        if case .names(let names) = scale { return 0.5...Double(names.count) + 0.5 }
        let positions = (values + including).filter(shows).map(position)
        guard let low = positions.min(), let high = positions.max() else { return 0...1 }
        guard high > low else { return low - 0.5...low + 0.5 }
        let margin = (high - low) * 0.05
        // Nothing that starts at zero is drawn as if it could be less.
        return (isLinear && low >= 0 && low < margin ? 0 : low - margin)...high + margin
    }

    var isLinear: Bool {
        switch scale {
        case .linear, .wholes, .fitting, .names: true
        case .decades, .octaves: false
        }
    }

    var hasNames: Bool {
        if case .names = scale { true } else { false }
    }

    /// What a tick is called.
    func name(_ tick: Double) -> String {
        if case .names(let names) = scale { names[Int(tick) - 1] } else { Figure.text(tick) }
    }

    /// Round values whose positions lie in `range`, three to about ten.
    func ticks(in range: ClosedRange<Double>) -> [Double] {
        switch scale {
        case .linear, .fitting: return Self.roundValues(in: range)
        case .wholes: return Self.roundValues(in: range, atLeast: 1)
        case .names(let names): return (0..<names.count).map { Double($0 + 1) }
        case .octaves:
            let (first, last) = (Int(range.lowerBound.rounded(.up)), Int(range.upperBound.rounded(.down)))
            guard first <= last else { return [] }
            return stride(from: first, through: last, by: max(1, (last - first + 9) / 10)).map { exp2(Double($0)) }
        case .decades:
            let decades = Int(range.lowerBound.rounded(.down))...Int(range.upperBound.rounded(.up))
            let spread = range.upperBound - range.lowerBound
            if spread < 0.5 {
                // Less than half a decade: round values as on a linear axis.
                return Self.roundValues(in: pow(10, range.lowerBound)...pow(10, range.upperBound))
            }
            let steps = spread > 4 ? [1.0] : spread > 1.5 ? [1.0, 3] : [1.0, 2, 3, 5, 7]
            return decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }.filter { range.contains(position($0)) }
        }
    }

    private static func roundValues(in range: ClosedRange<Double>, atLeast least: Double = 0) -> [Double] {
        let rough = max(least, (range.upperBound - range.lowerBound) / 6)
        let power = pow(10, floor(log10(rough)))
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? 10 * power
        let (first, last) = ((range.lowerBound / step).rounded(.up), (range.upperBound / step).rounded(.down))
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }
}
