import FoundationEssentials
import Glibc

@testable import Service

/// A folder that is removed with everything in it when the test ends.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/revq-service-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary folder: \(String(cString: strerror(errno)))")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file, and makes the folders on its way.
    func write(_ text: String, to name: String) {
        let parts = name.split(separator: "/")
        for count in 1..<max(1, parts.count) { mkdir("\(path)/\(parts.prefix(count).joined(separator: "/"))", 0o755) }
        guard let file = fopen("\(path)/\(name)", "w") else { preconditionFailure("cannot write \(name)") }
        fputs(text, file)
        fclose(file)
    }

    /// Writes a checkpoint as a publisher does: under a temporary name, then one rename.
    func publish(_ text: String, to version: String) {
        write(text, to: "\(version).tmp/manifest.json")
        precondition(rename("\(path)/\(version).tmp", "\(path)/\(version)") == 0, "cannot publish \(version)")
    }
}
