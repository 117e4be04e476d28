import Files
import Fitting
import Jobs

/// The curve of a learning-rate range test, for people.
package struct LearningRateReport {
    /// The file in the run's folder.
    package static let name = "report.html"

    private let curve: LearningRateCurve

    package init(_ curve: LearningRateCurve) {
        self.curve = curve
    }

    package func write(to path: String) throws(FileError) { try report.write(to: path) }

    var report: Report {
        let plot = Plot(
            "Training loss before each step, \(Figure.count(curve.points.count, "step"))", x: PlotAxis("learning rate", .decades),
            y: PlotAxis("squared error, relative to that of the weights before the first step on the same crops", .fitting),
            series: [
                Plot.Series("each step's crops", .points, colour: 7, curve.points.map { .init($0.rate, $0.relative) }),
                Plot.Series("smoothed over the last steps", .curve, colour: 0, curve.points.map { .init($0.rate, $0.smoothed) }),
            ])
        let end = curve.isCutShort ? "The loss had risen so far that higher rates were not tried. " : ""
        return Report(
            title: "Learning-rate range test",
            question: "The learning rate grows by the same factor from step to step: where does the loss fall, and where does it rise again?",
            facts: Report.Fact.thisMachine,
            sections: [Report.Section("Loss and learning rate", [.plot(plot), .text(end + "In short: \(curve.summary).")])])
    }
}
