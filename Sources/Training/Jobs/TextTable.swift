/// Rows and columns for a terminal: the columns as wide as they have to be, two spaces between them.
package struct TextTable {
    package var rows: [[String]]

    package init(_ rows: [[String]]) {
        self.rows = rows
    }

    package var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line.withoutControls + "\n"
        }.joined()
    }
}

/// A curve in one line of text.
package enum Sparkline {
    private static let levels = Array("▁▂▃▄▅▆▇█")

    /// - Parameters:
    ///   - values: finite, in their order; means of them where there are more than `width`.
    ///   - range: what the lowest and the highest block stand for.
    package static func text(_ values: [Double], in range: ClosedRange<Double>, width: Int) -> String {
        let count = min(width, values.count)
        let extent = range.upperBound - range.lowerBound
        return String(
            (0..<count).map { place in
                let part = values[place * values.count / count..<(place + 1) * values.count / count]
                let share = extent > 0 ? (part.reduce(0, +) / Double(part.count) - range.lowerBound) / extent : 0.5
                return levels[min(levels.count - 1, max(0, Int(share * Double(levels.count))))]
            })
    }
}
