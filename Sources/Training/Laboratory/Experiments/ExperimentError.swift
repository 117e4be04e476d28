/// Why an experiment is impossible, in one line.
package struct ExperimentError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Refuses numbers outside their ranges, by the names of their options.
    static func check(_ limits: [(option: String, value: Int, range: ClosedRange<Int>)], learningRate: Float) throws(ExperimentError) {
        for (option, value, range) in limits where !range.contains(value) { throw ExperimentError("\(option) is in \(range), not \(value)") }
        guard (0...1).contains(learningRate) else { throw ExperimentError("--learning-rate is in 0...1, not \(learningRate)") }
    }
}
