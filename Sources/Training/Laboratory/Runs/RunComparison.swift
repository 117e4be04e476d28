import Files
import Glibc
import Jobs

/// `revq-train runs compare`: what two or more runs were asked to do, and what came of it.
package struct RunComparison {
    private static let sparks = 40, absent = "–"

    let runs: [RunRecord]

    /// - Throws: when a folder is not a run's, or is named twice.
    package init(_ paths: [String]) throws(FileError) {
        runs = try paths.map { path throws(FileError) in try RunRecord(path) }
        for (index, path) in paths.enumerated() where paths[..<index].contains(path) { throw FileError(path, "is named twice") }
    }

    /// The options that not all have alike, in alphabetical order; where a run goes is none of them.
    var differences: [(name: String, values: [String])] {
        Set(runs.flatMap(\.options.keys)).sorted().compactMap { name in
            let values = runs.map { $0.options[name] ?? Self.absent }
            return Set(values).count > 1 ? (name, values) : nil
        }
    }

    /// Every figure that some run logged; those that say how good it is come first.
    var figures: [String] {
        let all = Set(runs.flatMap(\.curves.keys)).sorted()
        return all.filter { RunRecord.direction(of: $0) != .neither } + all.filter { RunRecord.direction(of: $0) == .neither }
    }

    func summary(_ figure: String, of run: RunRecord) -> String { run.summary(of: figure) ?? Self.absent }

    /// Of each run: folder, command, how far it is and what that took.
    var overview: [[String]] {
        [["run", "command", "state", "steps", "took"]]
            + runs.map {
                [$0.path, $0.command, $0.state.rawValue, $0.log.isEmpty ? Self.absent : "\($0.steps)", $0.seconds.map(Figure.clock) ?? Self.absent]
            }
    }

    /// For a terminal.
    package var text: String {
        let heading = [""] + runs.map(\.path)
        let options = differences.map { [$0.name] + $0.values }
        let figures = figures.map { figure in [figure] + runs.map { summary(figure, of: $0) } }
        return """
            \(TextTable(overview).text)
            Options that differ
            \(options.isEmpty ? "none\n" : TextTable([heading] + options).text)
            Figures: the last, and where another was better the best
            \(figures.isEmpty ? "none was logged\n" : TextTable([heading] + figures).text)
            Curves, from the first step to the last of each run
            \(TextTable(curves).text)
            """
    }

    private var curves: [[String]] {
        figures.filter { RunRecord.direction(of: $0) != .neither }.flatMap { figure -> [[String]] in
            let all = runs.flatMap { $0.curves[figure] ?? [] }.map(\.value)
            guard let first = all.min(), let last = all.max() else { return [] }
            // An error falls by factors; beside its beginning its end would be flat.
            let place: (Double) -> Double = first > 0 && RunRecord.direction(of: figure) == .lowest ? { log($0) } : { $0 }
            let (low, high) = (place(first), place(last))
            return runs.map { run in
                let values = (run.curves[figure] ?? []).map { place($0.value) }
                return [figure, run.path, values.isEmpty ? Self.absent : Sparkline.text(values, in: low...high, width: Self.sparks)]
            }
        }
    }
}

extension RunComparison {
    /// Points of one curve in a report: more do not show.
    private static let mostPoints = 400

    /// For a browser.
    package var report: Report {
        Report(
            title: "Runs: " + runs.map { PathName.last(of: $0.path) }.joined(separator: ", "),
            question: "What were these runs asked to do otherwise, how did their figures move, and where did they end?",
            facts: Report.Fact.thisMachine,
            sections: [
                Report.Section("Runs", [.table(Self.table("As their folders have them", overview))]),
                Report.Section("Options that differ", [optionsBlock]),
                Report.Section(
                    "Figures", [.table(Self.table("The last, and where another was better the best with its step", [[""] + runs.map(\.path)] + rows))]
                ),
                Report.Section("Curves", figures.map { .plot(plot($0)) }),
            ])
    }

    private var rows: [[String]] { figures.map { figure in [figure] + runs.map { summary(figure, of: $0) } } }

    private var optionsBlock: Report.Section.Block {
        let rows = differences.map { [$0.name] + $0.values }
        return rows.isEmpty ? .text("None.") : .table(Self.table("Options", [[""] + runs.map(\.path)] + rows))
    }

    private static func table(_ caption: String, _ rows: [[String]]) -> ReportTable {
        ReportTable(caption, columns: rows[0], rows: rows.dropFirst().map { $0.map { .text($0) } })
    }

    private func plot(_ figure: String) -> Plot {
        let series = runs.enumerated().map { index, run in
            Plot.Series(run.path, .curve, colour: index, Self.thinned(run.curves[figure] ?? []))
        }
        return Plot("\(figure), step by step", x: PlotAxis("step", .wholes), y: PlotAxis(figure, .fitting), series: series)
    }

    /// Means of neighbours, so that a long run's curve is drawn with few points.
    private static func thinned(_ curve: [(step: Int, value: Double)]) -> [Plot.Point] {
        let count = min(mostPoints, curve.count)
        return (0..<count).map { place in
            let part = curve[place * curve.count / count..<(place + 1) * curve.count / count]
            return Plot.Point(Double(part.last!.step), part.reduce(0) { $0 + $1.value } / Double(part.count))
        }
    }
}
