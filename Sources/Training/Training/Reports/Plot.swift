/// Curves over two axes.
public struct Plot: Sendable {
    public struct Point: Sendable {
        public let x: Double
        public let y: Double

        public init(_ x: Double, _ y: Double) {
            (self.x, self.y) = (x, y)
        }
    }

    public struct Series: Sendable {
        public enum Style: Sendable {
            /// Our figures: a line through filled markers.
            case measured
            /// Someone else's: a dashed line through hollow markers.
            case published
            /// What theory allows: a dotted line.
            case bound
        }

        public let name: String
        public let style: Style
        /// Which of the report's colours; a published series has that of the measured one it belongs to.
        public let colour: Int
        public let points: [Point]

        public init(_ name: String, _ style: Style = .measured, colour: Int, _ points: [Point]) {
            (self.name, self.style, self.colour, self.points) = (name, style, colour, points)
        }
    }

    public let caption: String
    public let x: PlotAxis
    public let y: PlotAxis
    public let series: [Series]

    public init(_ caption: String, x: PlotAxis, y: PlotAxis, series: [Series]) {
        (self.caption, self.x, self.y, self.series) = (caption, x, y, series.filter { !$0.points.isEmpty })
    }

    /// Empty where there is nothing to show.
    var html: String {
        guard !series.isEmpty else { return "" }
        let legend = series.map { "<li>\(PlotDrawing.swatch($0))\($0.name.htmlEscaped)</li>" }.joined(separator: "\n")
        return """
            <figure><figcaption>\(caption.htmlEscaped)</figcaption>
            \(PlotDrawing(self).svg)
            <ul class="legend">
            \(legend)
            </ul></figure>
            """
    }
}
