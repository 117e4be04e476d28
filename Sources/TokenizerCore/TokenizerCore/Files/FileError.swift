import Glibc

/// A file or folder could not be used; the description is one line for the person who named it.
public struct FileError: Error, Equatable, CustomStringConvertible {
    public let path: String
    /// What was wrong and, where that is not obvious, what was expected.
    public let reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// What is wrong with the file at `path`: "path: problem".
    init(_ path: String, _ problem: String) {
        self.init(path: path, reason: "\(path): \(problem)")
    }

    /// The failure the system reported last, as in "cannot write /data/x: No space left on device".
    static func system(_ action: String, _ path: String, code: Int32 = errno) -> FileError {
        FileError(path: path, reason: "cannot \(action) \(path): \(String(cString: strerror(code)))")
    }

    public var description: String { reason }
}
