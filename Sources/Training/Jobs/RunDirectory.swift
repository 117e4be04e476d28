import Files
import FoundationEssentials
import Glibc

/// The folder of one run: what it was asked to do (`config.json`), its log, its saved states and its results.
///
/// The same call on the same folder goes on with the run. Another run's folder, and one that a process is working in, are refused. A run
/// that has made nothing yet, because it was refused after all, gives its folder up to the next one.
package final class RunDirectory {
    package let path: String
    private let lock: FileLock

    private static let configurationName = "config.json"
    private static let lockName = ".lock"

    /// Creates the folder, or opens that of an earlier call with equal options.
    ///
    /// - Parameters:
    ///   - options: an object with the `command` that makes the run.
    ///   - isCache: whether what has such a name says itself what it is of, and so belongs to no run's options.
    /// - Throws: naming the option that differs, or who is in the way.
    /// - Precondition: the options' numbers are finite, because JSON has no others.
    package init(_ path: String, options: some Encodable, isCache: (String) -> Bool = { _ in false }) throws(FileError) {
        try StoredFolder.create(path)
        guard let lock = try FileLock(file: "\(path)/\(Self.lockName)", waits: false) else {
            throw FileError(path: path, reason: "\(path) is in use by another process")
        }
        (self.path, self.lock) = (path, lock)
        try claim(options, isCache)
    }

    package var logPath: String { "\(path)/log.jsonl" }

    private func claim(_ options: some Encodable, _ isCache: (String) -> Bool) throws(FileError) {
        let file = "\(path)/\(Self.configurationName)"
        let wanted = JSONFile.bytes(options)
        guard access(file, F_OK) == 0 else {
            guard try StoredFolder.names(in: path).allSatisfy({ $0.hasPrefix(".") }) else {
                throw FileError(path: path, reason: "\(path) is not empty and is not a run's folder: choose a new one")
            }
            return try StoredFile.write(wanted, to: file)
        }
        let found = try JSONFile.read(JSONValue.self, from: file)
        guard let asked = try? JSONDecoder().decode(JSONValue.self, from: Data(wanted)) else {
            preconditionFailure("options do not read back as JSON")
        }
        guard let (name, here, there) = asked.difference(from: found) else { return }
        if case .object(let members) = found, members["command"] != nil, try isUnused(isCache) { return try StoredFile.write(wanted, to: file) }
        throw FileError(path: path, reason: "\(path) was begun with \(name) = \(there), not \(here): use the same options, or a new folder")
    }

    /// Whether nothing was made here: an empty log or folder of states is nothing.
    private func isUnused(_ isCache: (String) -> Bool) throws(FileError) -> Bool {
        for name in try StoredFolder.names(in: path) where name != Self.configurationName && !name.hasPrefix(".") && !isCache(name) {
            let part = "\(path)/\(name)"
            let isEmpty = StoredFolder.exists(part) ? try StoredFolder.names(in: part).isEmpty : try ReadableFile(part).count == 0
            guard isEmpty else { return false }
        }
        return true
    }
}
