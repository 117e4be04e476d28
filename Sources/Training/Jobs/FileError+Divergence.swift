import Files

extension FileError {
    /// A run whose numbers have left the range of floats; what it saved before is kept.
    package static func divergence(_ path: String, step: Int) -> FileError {
        FileError(
            path: path, reason: "\(path): training diverged at step \(step), its error is no number any more; start another run with a lower --learning-rate")
    }
}
