import FoundationEssentials
import Glibc
import TokenizerCore

/// The folder of one training run: what it was asked to do (`config.json`), its log, its saved states and its results.
///
/// The same call on the same folder goes on with the run. Another run's folder, and one that a trainer is working in, are refused.
public final class RunDirectory {
    public let path: String
    private let lock: FileLock

    private static let configurationName = "config.json"
    private static let lockName = ".lock"

    /// Creates the folder, or opens that of an earlier call with equal options.
    /// - Throws: naming the option that differs, or who is in the way.
    public init(_ path: String, options: some Encodable) throws(FileError) {
        try StoredFolder.create(path)
        guard let lock = try FileLock(file: "\(path)/\(Self.lockName)", waits: false) else {
            throw FileError(path: path, reason: "\(path) is in use by another trainer")
        }
        (self.path, self.lock) = (path, lock)
        try claim(options)
    }

    public var logPath: String { "\(path)/log.jsonl" }

    private func claim(_ options: some Encodable) throws(FileError) {
        let file = "\(path)/\(Self.configurationName)"
        let wanted = JSONFile.bytes(options)
        guard access(file, F_OK) == 0 else {
            guard try StoredFolder.names(in: path).allSatisfy({ $0.hasPrefix(".") }) else {
                throw FileError(path: path, reason: "\(path) is not empty and is not a training run: choose a new folder")
            }
            return try StoredFile.write(wanted, to: file)
        }
        let found = try JSONFile.read(JSONValue.self, from: file)
        guard let asked = try? JSONDecoder().decode(JSONValue.self, from: Data(wanted)) else {
            preconditionFailure("options do not read back as JSON")
        }
        if let (name, here, there) = asked.difference(from: found) {
            throw FileError(
                path: path, reason: "\(path) was begun with \(name) = \(there), not \(here): use the same options, or a new folder")
        }
    }
}
