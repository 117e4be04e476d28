import Glibc

/// A file could not be read or written, or does not hold what its name promises. The description is one line for a person.
public struct FileError: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ path: String, _ problem: String) {
        description = "\(path): \(problem)"
    }

    /// The system's own reason for the last failed call.
    static func system(_ path: String, _ attempt: String) -> FileError {
        FileError(path, "cannot \(attempt): \(String(cString: strerror(errno)))")
    }
}
