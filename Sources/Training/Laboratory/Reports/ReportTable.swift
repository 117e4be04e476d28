import Jobs
import TokenizerCore

/// Figures in rows and columns.
package struct ReportTable: Sendable {
    package enum Cell: Sendable {
        case text(String)
        /// Shown with four significant digits.
        case number(Double)
        /// Shown with two decimals, as decibels are compared.
        case decibels(Double)
        /// Not measured.
        case none

        var text: String {
            switch self {
            case .text(let text): text
            case .number(let value): Figure.text(value)
            case .decibels(let value): Figure.decimals(value, 2)
            case .none: "–"
            }
        }

        var isText: Bool {
            if case .text = self { true } else { false }
        }
    }

    package let caption: String
    package let columns: [String]
    package var rows: [[Cell]]

    /// - Precondition: every row has a cell for each column.
    package init(_ caption: String, columns: [String], rows: [[Cell]]) {
        precondition(rows.allSatisfy { $0.count == columns.count }, "rows of \(rows.map(\.count)) cells for \(columns.count) columns")
        (self.caption, self.columns, self.rows) = (caption, columns, rows)
    }

    var html: String {
        let head = columns.map { "<th>\($0.htmlEscaped)</th>" }.joined()
        let body = rows.map { row in
            "<tr>" + row.map { "<td\($0.isText ? "" : " class=\"number\"")>\($0.text.htmlEscaped)</td>" }.joined() + "</tr>"
        }
        return """
            <figure><figcaption>\(caption.htmlEscaped)</figcaption>
            <div class="wide"><table>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body.joined(separator: "\n"))
            </tbody></table></div></figure>
            """
    }
}

extension ReportTable.Cell {
    /// A figure that may not have been measured.
    init(_ value: Double?) {
        self = value.map { .number($0) } ?? .none
    }

    init(decibels value: Double?) {
        self = value.map { .decibels($0) } ?? .none
    }

    /// Where the mean may lie, in dB.
    init(intervalOf mean: PictureMean?) {
        guard let low = mean?.low, let high = mean?.high else {
            self = .none
            return
        }
        self = .text("\(Figure.decimals(low, 2)) … \(Figure.decimals(high, 2))")
    }
}
