/// A checkpoint that cannot be used: which one, and in one line why.
package struct CheckpointError: Error, Equatable, CustomStringConvertible {
    package let directory: String
    package let reason: String

    package init(_ directory: String, _ reason: String) {
        (self.directory, self.reason) = (directory, reason)
    }

    package var description: String { "checkpoint \(directory) was refused: \(reason)" }
}
