import Files
import Fitting
import Images
import Jobs

/// An autoencoder's training so far, for people: its curves, and what it made of some of the choosing part's pictures on the way.
package struct TrainingReport {
    /// The file in the run's folder.
    package static let name = "report.html"
    /// Columns of drawn pictures: the first measurement, the last, and some between.
    private static let mostColumns = 4

    private let run: RunRecord
    private let sheets: PictureSheets

    /// - Parameter path: the run's folder.
    package init(_ path: String) throws(FileError) {
        (run, sheets) = (try RunRecord(path), PictureSheets(of: path))
    }

    package func write() throws(FileError) { try report.write(to: "\(run.path)/\(Self.name)") }

    var report: Report {
        get throws(FileError) {
            let options = run.options.sorted { $0.key < $1.key }.map { Report.Fact($0.key, $0.value) }
            return Report(
                title: "Training an autoencoder, \(Figure.count(run.steps, "step"))",
                question: "How near do drawn pictures come to photographs that are not trained on, and how do they look?",
                facts: Report.Fact.thisMachine + options,
                sections: [Report.Section("Curves", curves)] + (try pictures.map { [$0] } ?? []))
        }
    }

    /// A plot for each figure, in which those of the steps and those of the choosing part stand together; what says how good it is comes first.
    private var curves: [Report.Section.Block] {
        let curves = run.curves
        let names = Set(curves.keys.map { $0.hasPrefix(Self.heldOut) ? String($0.dropFirst(Self.heldOut.count)) : $0 })
        let sorted = names.sorted { (Self.place($0), $0) < (Self.place($1), $1) }
        return sorted.map { name in
            let series: [Plot.Series] = [("each step", name, Plot.Series.Style.curve, 7), ("choosing part", Self.heldOut + name, .measured, 0)]
                .compactMap { title, figure, style, colour in
                    curves[figure].map { Plot.Series(title, style, colour: colour, $0.map { .init(Double($0.step), $0.value) }) }
                }
            return .plot(Plot(name, x: PlotAxis("step", .wholes), y: PlotAxis(name, .fitting), series: series))
        }
    }

    private static let heldOut = "held_out_"

    private static func place(_ figure: String) -> Int { RunRecord.direction(of: figure) == .neither ? 1 : 0 }

    /// Nil where nothing was measured yet.
    private var pictures: Report.Section? {
        get throws(FileError) {
            let steps = Self.spread(try sheets.steps())
            guard !steps.isEmpty else { return nil }
            let originals = try sheets.pictures(step: nil)
            var drawn: [[RGBImage]] = []
            for step in steps { drawn.append(try sheets.pictures(step: step)) }
            let rows = originals.indices.map { place in ImageGrid.Row("picture \(place + 1)", [originals[place]] + drawn.map { $0[place] }) }
            let grid = ImageGrid(
                "Pictures of the choosing part, as the averaged weights draw them", columns: ["original"] + steps.map { "step \($0)" }, rows: rows)
            return Report.Section("Pictures", [.images(grid)])
        }
    }

    /// The first, the last, and some between, evenly.
    static func spread(_ steps: [Int]) -> [Int] {
        guard steps.count > mostColumns else { return steps }
        return (0..<mostColumns).map { steps[$0 * (steps.count - 1) / (mostColumns - 1)] }
    }
}
