/// Curves over two axes.
package struct Plot: Sendable {
    package struct Point: Sendable {
        package let x: Double
        package let y: Double

        package init(_ x: Double, _ y: Double) {
            (self.x, self.y) = (x, y)
        }
    }

    package struct Series: Sendable {
        package enum Style: Sendable {
            /// Our figures: a line through filled markers.
            case measured
            /// Someone else's: a dashed line through hollow markers.
            case published
            /// What theory allows: a dotted line.
            case bound
            /// Ours, too many to mark each: a line.
            case curve
            /// Ours, where nothing lies between one and the next: markers alone.
            case points
        }

        package let name: String
        package let style: Style
        /// Which of the report's colours; a published series has that of the measured one it belongs to.
        package let colour: Int
        package let points: [Point]

        package init(_ name: String, _ style: Style = .measured, colour: Int, _ points: [Point]) {
            (self.name, self.style, self.colour, self.points) = (name, style, colour, points)
        }
    }

    package let caption: String
    package let x: PlotAxis
    package let y: PlotAxis
    package let series: [Series]

    package init(_ caption: String, x: PlotAxis, y: PlotAxis, series: [Series]) {
        self.caption = caption
        self.series = series.filter { !$0.points.isEmpty }
        let points = series.flatMap(\.points)
        (self.x, self.y) = (x.fitted(to: points.map(\.x)), y.fitted(to: points.map(\.y)))
    }

    /// Empty where there is nothing to show.
    var html: String {
        guard !series.isEmpty else { return "" }
        let legend = series.map { "<li>\(PlotDrawing.swatch($0))\($0.name.htmlEscaped)</li>" }.joined(separator: "\n")
        return """
            <figure><figcaption>\(caption.htmlEscaped)</figcaption>
            <p class="axis">↑ \(y.label.htmlEscaped)\(y.isLinear ? "" : ", logarithmic")</p>
            \(PlotDrawing(self).svg)
            <p class="axis across">\(x.label.htmlEscaped) →</p>
            <ul class="legend">
            \(legend)
            </ul></figure>
            """
    }
}
