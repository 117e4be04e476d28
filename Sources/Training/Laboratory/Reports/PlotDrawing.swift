import Jobs

/// A plot as SVG. Colours come from the report's style, so that one drawing suits light and dark.
struct PlotDrawing {
    // Small beside its text, which ReportStyle makes larger on narrow screens: so one drawing can be read at 420 pixels and at 1,280. What
    // the axes show stands outside, where lines can break.
    private static let (width, height) = (640.0, 360.0)
    private static let (left, right, top, bottom) = (74.0, 26.0, 14.0, 34.0)

    private let plot: Plot
    private let xRange, yRange: ClosedRange<Double>

    init(_ plot: Plot) {
        self.plot = plot
        let points = plot.series.flatMap(\.points)
        xRange = plot.x.range(of: points.map(\.x))
        yRange = plot.y.range(of: points.map(\.y))
    }

    var svg: String {
        let parts = [grid, frame] + plot.series.map(curve)
        return """
            <svg class="plot" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(plot.caption.htmlEscaped)">
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    /// The mark of a series as its legend shows it.
    static func swatch(_ series: Plot.Series) -> String {
        let mark = series.hasMarkers ? marker(series, at: (17, 7)) : ""
        let line = series.hasLine ? "<path d=\"M1 7H33\" \(stroke(series))/>" : ""
        return "<svg viewBox=\"0 0 34 14\" aria-hidden=\"true\">\(line)\(mark)</svg>"
    }

    private func place(_ point: Plot.Point) -> (x: Double, y: Double)? {
        guard plot.x.shows(point.x), plot.y.shows(point.y) else { return nil }
        return (placeX(point.x), placeY(point.y))
    }

    private func placeX(_ value: Double) -> Double {
        let share = (plot.x.position(value) - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
        return Self.left + share * (Self.width - Self.left - Self.right)
    }

    private func placeY(_ value: Double) -> Double {
        let share = (plot.y.position(value) - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound)
        return Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
    }

    private var grid: String {
        let (right, bottom) = (Self.width - Self.right, Self.height - Self.bottom)
        let vertical = plot.x.ticks(in: xRange).enumerated().map { index, tick in
            let x = Self.number(placeX(tick))
            // On a narrow screen every other number is left out; names are few, and all are needed.
            let kind = index % 2 == 1 && !plot.x.hasNames ? " class=\"minor\"" : ""
            return "<path class=\"grid\" d=\"M\(x) \(Self.top)V\(bottom)\"/>"
                + "<text\(kind) x=\"\(x)\" y=\"\(bottom + 22)\" text-anchor=\"middle\">\(plot.x.name(tick).htmlEscaped)</text>"
        }
        let horizontal = plot.y.ticks(in: yRange).map { tick in
            let y = placeY(tick)
            return "<path class=\"grid\" d=\"M\(Self.left) \(Self.number(y))H\(right)\"/>"
                + "<text x=\"\(Self.left - 8)\" y=\"\(Self.number(y + 4))\" text-anchor=\"end\">\(plot.y.name(tick).htmlEscaped)</text>"
        }
        return (vertical + horizontal).joined(separator: "\n")
    }

    private var frame: String {
        "<path class=\"frame\" d=\"M\(Self.left) \(Self.top)V\(Self.height - Self.bottom)H\(Self.width - Self.right)\"/>"
    }

    private func curve(_ series: Plot.Series) -> String {
        let places = series.points.compactMap(place)
        let path = places.enumerated().map { "\($0 == 0 ? "M" : "L")\(Self.number($1.x)) \(Self.number($1.y))" }.joined()
        let line = series.hasLine ? "<path d=\"\(path)\" \(Self.stroke(series))/>" : ""
        guard series.hasMarkers else { return line }
        return line
            + zip(places, series.points.filter { place($0) != nil }).map { place, point in
                // The exact figures appear where the reader points.
                let title = "\(series.name): \(Figure.text(point.x)), \(Figure.text(point.y))"
                return "<g><title>\(title.htmlEscaped)</title>\(Self.marker(series, at: place))</g>"
            }.joined()
    }

    private static func stroke(_ series: Plot.Series) -> String {
        let dashes =
            switch series.style {
            case .measured, .curve, .points: ""
            case .published: " stroke-dasharray=\"6 4\""
            case .bound: " stroke-dasharray=\"1.5 4\" stroke-linecap=\"round\""
            }
        return "fill=\"none\" style=\"stroke: \(colour(series))\" stroke-width=\"2\"\(dashes)"
    }

    /// Colour and shape go together, so that series can be told apart without colour.
    private static func marker(_ series: Plot.Series, at place: (x: Double, y: Double)) -> String {
        let fill = series.style == .published ? "var(--card)" : colour(series)
        let paint = "style=\"fill: \(fill); stroke: \(colour(series))\" stroke-width=\"1.6\""
        let (x, y) = (number(place.x), number(place.y))
        switch series.colour % 4 {
        case 0: return "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"4.2\" \(paint)/>"
        case 1: return "<path d=\"M\(x) \(y)m-4-4h8v8h-8z\" \(paint)/>"
        case 2: return "<path d=\"M\(x) \(y)m0-5.4l5 9h-10z\" \(paint)/>"
        default: return "<path d=\"M\(x) \(y)m0-5.4l5.4 5.4l-5.4 5.4l-5.4-5.4z\" \(paint)/>"
        }
    }

    private static func colour(_ series: Plot.Series) -> String {
        "var(--c\(series.colour % ReportStyle.colours))"
    }

    private static func number(_ value: Double) -> String {
        Figure.decimals(value, 1)
    }
}

extension Plot.Series {
    fileprivate var hasLine: Bool { style != .points }

    fileprivate var hasMarkers: Bool {
        switch style {
        case .measured, .published, .points: true
        case .bound, .curve: false
        }
    }
}
