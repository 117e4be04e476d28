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
