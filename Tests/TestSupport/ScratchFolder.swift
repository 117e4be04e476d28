import Files
import Glibc
import Jobs
import Testing

extension Console {
    /// Shows nothing.
    package static var silent: Console { Console(isTerminal: false) { _ in } }
}

/// A new empty folder that goes away with everything in it.
package final class ScratchFolder {
    package let path: String

    package init() {
        var template = Array("/tmp/revq-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { preconditionFailure("no scratch folder: \(String(cString: strerror(errno)))") }
        path = String(cString: made)
    }

    deinit {
        StoredFolder.remove(path)
    }

    /// Writes a file, and makes the folders on its way.
    package func write(_ text: String, to name: String) throws {
        try StoredFolder.create(PathName.folder(of: "\(path)/\(name)"))
        try StoredFile.write(Array(text.utf8), to: "\(path)/\(name)", .relaxed)
    }
}

/// Runs `body` with the path of a new empty folder that is removed afterwards.
package func withScratchFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = ScratchFolder()
    return try withExtendedLifetime(folder) { try body(folder.path) }
}
