/// Why an experiment is impossible, in one line.
public struct ExperimentError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
