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

    /// A plot for each figure, in which those of the steps and those of the choosing part stand together.
    private var curves: [Report.Section.Block] {
        let all = run.curves
        let (own, heldOut) = (all.keys.filter { !$0.hasPrefix(Self.heldOut) }, all.keys.filter { $0.hasPrefix(Self.heldOut) })
        let alone = heldOut.filter { all[String($0.dropFirst(Self.heldOut.count))] == nil }
        return (alone + own).sorted { Self.place($0) < Self.place($1) }.map { figure in
            .plot(
                Plot(
                    figure, x: PlotAxis("step", .wholes), y: PlotAxis(figure, .fitting),
                    series: [
                        series("each step", figure, .curve, colour: 7), series("choosing part", Self.heldOut + figure, .measured, colour: 0),
                    ].compactMap { $0 }))
        }
    }

    private static let heldOut = "held_out_"

    /// What says how good it is stands first.
    private static func place(_ figure: String) -> String {
        "\(figure.hasPrefix(heldOut) ? 0 : RunRecord.direction(of: figure) == .neither ? 2 : 1) \(figure)"
    }

    private func series(_ name: String, _ figure: String, _ style: Plot.Series.Style, colour: Int) -> Plot.Series? {
        guard let curve = run.curves[figure] else { return nil }
        return Plot.Series(name, figure.hasPrefix(Self.heldOut) ? .measured : style, colour: colour, curve.map { .init(Double($0.step), $0.value) })
    }

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
