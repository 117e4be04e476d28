/// A question to the laboratory: what is varied, how one case is measured, and how all of them are reported.
package protocol Experiment {
    /// One case; its description is unique within the experiment.
    associatedtype Cell: Codable, Hashable, Sendable, CustomStringConvertible
    /// What is measured in one case.
    associatedtype Figures: Codable, Sendable

    /// In the order in which they are measured.
    var cells: [Cell] { get }

    /// - Returns: nil when a stop was requested before the case was finished.
    /// - Throws: what is impossible about the case.
    mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> Figures?

    /// Some cells may be missing: the experiment was stopped.
    func report(_ results: [ExperimentResult<Cell, Figures>]) -> Report
}

/// One measured case of an experiment.
package struct ExperimentResult<Cell: Codable & Sendable, Figures: Codable & Sendable>: Codable, Sendable {
    package let cell: Cell
    package let figures: Figures
}

/// Why an experiment is impossible, in one line.
package struct ExperimentError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Refuses numbers outside their ranges, by the names of their options.
    static func check(_ limits: [(option: String, value: Int, range: ClosedRange<Int>)], learningRate: Float = 0) throws(ExperimentError) {
        for (option, value, range) in limits where !range.contains(value) { throw ExperimentError("\(option) is in \(range), not \(value)") }
        guard (0...1).contains(learningRate) else { throw ExperimentError("--learning-rate is in 0...1, not \(learningRate)") }
    }
}

/// How something was fitted, as reports say it.
extension Report.Fact {
    static func lloyd(passes: Int, seed: UInt64) -> Report.Fact {
        Report.Fact("fit", "\(passes) passes of Lloyd's algorithm, seed \(seed)")
    }

    static func gradientSteps(epochs: Int, batch: Int, learningRate: Float, seed: UInt64) -> Report.Fact {
        Report.Fact("training", "\(epochs) epochs of \(batch) images, learning rate \(learningRate), seed \(seed)")
    }
}
