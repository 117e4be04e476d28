import FoundationEssentials
import Images

/// Pictures beside each other, a row per subject and a column per treatment, carried in the file as PNG.
package struct ImageGrid: Sendable {
    package struct Row: Sendable {
        package let caption: String
        package let images: [RGBImage]

        package init(_ caption: String, _ images: [RGBImage]) {
            (self.caption, self.images) = (caption, images)
        }
    }

    package let caption: String
    package let columns: [String]
    package let rows: [Row]

    /// - Precondition: every row has an image for each column.
    package init(_ caption: String, columns: [String], rows: [Row]) {
        precondition(rows.allSatisfy { $0.images.count == columns.count }, "rows of \(rows.map(\.images.count)) images for \(columns.count) columns")
        (self.caption, self.columns, self.rows) = (caption, columns, rows)
    }

    var html: String {
        let head = columns.map { "<th>\($0.htmlEscaped)</th>" }.joined()
        let body = rows.map { row in
            let cells = zip(row.images, columns).map { image, column in
                let data = Data(PNGEncoder.encode(image)).base64EncodedString()
                return "<td><img alt=\"\("\(row.caption): \(column)".htmlEscaped)\" src=\"data:image/png;base64,\(data)\"></td>"
            }
            return "<tr>\(cells.joined())</tr>\n<tr><td class=\"under\" colspan=\"\(columns.count)\">\(row.caption.htmlEscaped)</td></tr>"
        }
        return """
            <figure><figcaption>\(caption.htmlEscaped)</figcaption>
            <div class="wide"><table class="images">
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body.joined(separator: "\n"))
            </tbody></table></div></figure>
            """
    }
}
