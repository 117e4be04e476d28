/// A checkpoint that cannot be used: which one, and in one line why.
public struct CheckpointError: Error, Equatable, CustomStringConvertible {
    public let directory: String
    public let reason: String

    public init(_ directory: String, _ reason: String) {
        (self.directory, self.reason) = (directory, reason)
    }

    public var description: String { "checkpoint \(directory) was refused: \(reason)" }
}
