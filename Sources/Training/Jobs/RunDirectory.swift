import Files
import FoundationEssentials

/// The folder of one run: what it was asked to do (`config.json`, and as a command's options in `options.yaml`), its log, its saved states
/// and its results.
///
/// The same call on the same folder goes on with the run, and a call that asks for more of the same extends it. Another run's folder, and
/// one that a process is working in, are refused. A run that has made nothing yet, because it was refused after all, gives its folder up to
/// the next one.
package final class RunDirectory {
    /// What of a run may become more after it was begun.
    package struct Growth {
        /// The dotted names of the options, such as "options.passes".
        let options: [String]
        /// The results of a finished run, which then stand aside.
        let results: [String]

        package init(of options: [String], replacing results: [String]) {
            (self.options, self.results) = (options, results)
        }

        package static let none = Growth(of: [], replacing: [])
    }

    package let path: String
    /// Of each option that has grown with this call, what it was.
    package private(set) var grownFrom: [String: Int] = [:]
    private let lock: FileLock?

    static let configurationName = "config.json"
    static let optionsName = "options.yaml"
    static let logName = "log.jsonl"
    static let lockName = ".lock"
    private static let asideEnding = "-before"

    /// Creates the folder, or opens that of an earlier call with equal options.
    ///
    /// - Parameters:
    ///   - options: an object with the `command` that makes the run.
    ///   - growth: options that may be larger than in the earlier call.
    ///   - isCache: whether what has such a name says itself what it is of, and so belongs to no run's options.
    /// - Throws: naming the option that differs, or who is in the way.
    /// - Precondition: the options' numbers are finite, because JSON has no others.
    package init(
        _ path: String, options: some Encodable, growth: Growth = .none, isCache: (String) -> Bool = { _ in false }
    ) throws(FileError) {
        try StoredFolder.create(path)
        guard let lock = try FileLock(file: "\(path)/\(Self.lockName)", waits: false) else {
            throw FileError(path: path, reason: "\(path) is in use by another process")
        }
        (self.path, self.lock) = (path, lock)
        try claim(options, growth, isCache)
    }

    /// The folder of a run that another process of the same job has opened: nothing is written into it from here.
    package init(openedElsewhere path: String) {
        (self.path, lock) = (path, nil)
    }

    package var logPath: String { "\(path)/\(Self.logName)" }

    /// Keeps the command's options, complete, as a file that another call can be given.
    package func keep(options: String) throws(FileError) {
        try StoredFile.write(Array(options.utf8), to: "\(path)/\(Self.optionsName)")
    }

    /// The run's numbers have left the range of floats; what it saved before is kept.
    package func divergence(step: Int) -> FileError {
        FileError(path, "training diverged at step \(step), its error is no number any more; start another run with a lower --learning-rate")
    }

    private func claim(_ options: some Encodable, _ growth: Growth, _ isCache: (String) -> Bool) throws(FileError) {
        let file = "\(path)/\(Self.configurationName)"
        let wanted = JSONFile.bytes(options)
        guard StoredFile.exists(file) else {
            guard try StoredFolder.names(in: path).allSatisfy({ $0.hasPrefix(".") }) else {
                throw FileError(path: path, reason: "\(path) is not empty and is not a run's folder: choose a new one")
            }
            return try StoredFile.write(wanted, to: file)
        }
        let found = try JSONFile.read(JSONValue.self, from: file)
        guard let asked = try? JSONDecoder().decode(JSONValue.self, from: Data(wanted)) else {
            preconditionFailure("options do not read back as JSON")
        }
        let differences = asked.differences(from: found)
        if differences.isEmpty { return }
        guard let refused = differences.first(where: { !growth.allows($0) }) else { return try extend(differences, wanted, growth, file) }
        if case .object(let members) = found, members["command"] != nil, try isUnused(isCache) { return try StoredFile.write(wanted, to: file) }
        throw FileError(
            path: path,
            reason: "\(path) was begun with \(refused.path) = \(refused.there.text), not \(refused.here.text): use the same options, or a new folder")
    }

    /// The results first: a process that is killed in between leaves the shorter run, which can be asked again.
    private func extend(_ differences: [JSONValue.Difference], _ wanted: [UInt8], _ growth: Growth, _ file: String) throws(FileError) {
        for name in growth.results where StoredFile.exists("\(path)/\(name)") {
            try StoredFolder.move("\(path)/\(name)", to: "\(path)/\(name)\(Self.asideEnding)")
        }
        try StoredFile.write(wanted, to: file)
        for difference in differences { grownFrom[difference.path] = difference.there.integer }
    }

    /// Whether nothing was made here: an empty log or folder of states is nothing.
    private func isUnused(_ isCache: (String) -> Bool) throws(FileError) -> Bool {
        let own = [Self.configurationName, Self.optionsName]
        for name in try StoredFolder.names(in: path) where !own.contains(name) && !name.hasPrefix(".") && !isCache(name) {
            let part = "\(path)/\(name)"
            let isEmpty = StoredFolder.exists(part) ? try StoredFolder.names(in: part).isEmpty : try ReadableFile(part).count == 0
            guard isEmpty else { return false }
        }
        return true
    }
}

extension RunDirectory.Growth {
    fileprivate func allows(_ difference: JSONValue.Difference) -> Bool {
        guard options.contains(difference.path), let here = difference.here.integer, let there = difference.there.integer else { return false }
        return here > there
    }
}
