import Glibc
import TestSupport

extension ScratchFolder {
    /// Writes a checkpoint as a publisher does: under a temporary name, then one rename.
    func publish(_ text: String, to version: String) throws {
        try write(text, to: "\(version).tmp/manifest.json")
        precondition(rename("\(path)/\(version).tmp", "\(path)/\(version)") == 0, "cannot publish \(version)")
    }
}
