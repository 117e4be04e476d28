import Glibc

/// A file or folder could not be used; the description is one line for the person who named it.
package struct FileError: Error, Equatable, CustomStringConvertible {
    package let path: String
    /// What was wrong and, where that is not obvious, what was expected.
    package let reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// What is wrong with the file at `path`: "path: problem".
    package init(_ path: String, _ problem: String) {
        self.init(path: path, reason: "\(path): \(problem)")
    }

    /// The failure the system reported last, as in "cannot write /data/x: No space left on device".
    package static func system(_ action: String, _ path: String, code: Int32 = errno) -> FileError {
        FileError(path: path, reason: "cannot \(action) \(path): \(String(cString: strerror(code)))")
    }

    /// Whoever wanted the file's bytes wants no more of them.
    static func stopped(_ path: String) -> FileError { FileError(path, "was not read to its end, because loading was stopped") }

    package var description: String { reason }
}
