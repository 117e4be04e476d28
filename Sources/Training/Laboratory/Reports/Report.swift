import Compute
import Files
import FoundationEssentials
import Networks

/// What an experiment found, for people: one HTML file that needs nothing but itself, readable in light and dark.
package struct Report: Sendable {
    /// One thing a reader must know to judge the figures: an option, a version, how many images.
    package struct Fact: Sendable, Codable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            (self.name, self.value) = (name, value)
        }
    }

    /// A part of the report under its own heading.
    package struct Section: Sendable {
        package enum Block: Sendable {
            case text(String)
            case plot(Plot)
            case table(ReportTable)
            case images(ImageGrid)
        }

        package let heading: String
        package var blocks: [Block]

        package init(_ heading: String, _ blocks: [Block]) {
            (self.heading, self.blocks) = (heading, blocks)
        }
    }

    package let title: String
    /// What was asked and how it was measured, in a few sentences.
    package let question: String
    package var facts: [Fact]
    package var sections: [Section]

    package init(title: String, question: String, facts: [Fact], sections: [Section]) {
        (self.title, self.question, self.facts, self.sections) = (title, question, facts, sections)
    }

    /// The whole file.
    package var html: String {
        let facts = facts.map { "<tr><th>\($0.name.htmlEscaped)</th><td>\($0.value.htmlEscaped)</td></tr>" }.joined(separator: "\n")
        let body = sections.map { section in
            "<section><h2>\(section.heading.htmlEscaped)</h2>\n" + section.blocks.map(\.html).joined(separator: "\n") + "\n</section>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title.htmlEscaped)</title>
            <style>\(ReportStyle.css)</style>
            </head>
            <body>
            <header><h1>\(title.htmlEscaped)</h1>
            <p class="question">\(question.htmlEscaped)</p></header>
            \(body.joined(separator: "\n"))
            <section><h2>How it was measured</h2>
            <table class="facts"><tbody>
            \(facts)
            </tbody></table></section>
            </body>
            </html>

            """
    }

    /// Writes the file; it appears whole.
    package func write(to path: String) throws(FileError) {
        try StoredFile.write(Array(html.utf8), to: path)
    }
}

extension Report.Section.Block {
    var html: String {
        switch self {
        case .text(let text): "<p>\(text.htmlEscaped)</p>"
        case .plot(let plot): plot.html
        case .table(let table): table.html
        case .images(let grid): grid.html
        }
    }
}

extension String {
    /// The text with the characters that mean something to HTML, in contents and in quoted attributes, spelled out.
    var htmlEscaped: String {
        var escaped = ""
        for character in unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

extension Report.Fact {
    /// When and with what something was measured.
    package static var thisMachine: [Report.Fact] {
        [
            Report.Fact("measured", Date.now.formatted(.iso8601)),
            Report.Fact("processor path", "\(ComputeContext.current.instructionSet), \(ComputeContext.current.threads) threads"),
        ]
    }
}
