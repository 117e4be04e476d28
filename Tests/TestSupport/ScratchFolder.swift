import Files
import Glibc
import Jobs
import Testing

extension Console {
    /// Shows nothing.
    package static var silent: Console { Console(isTerminal: false) { _ in } }
}

/// Runs `body` with the path of a new empty folder that is removed afterwards.
package func withScratchFolder<R>(_ body: (String) throws -> R) throws -> R {
    var template = Array("/tmp/revq-test-XXXXXX".utf8CString)
    let folder = String(cString: try #require(mkdtemp(&template)))
    defer { StoredFolder.remove(folder) }
    return try body(folder)
}
