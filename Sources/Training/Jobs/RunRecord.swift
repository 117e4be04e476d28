import Files
import Glibc

/// A run as its folder tells it: what it was asked to do, how far it is, and what it logged.
package struct RunRecord: Sendable {
    package enum State: String, Sendable {
        /// A process is working in it.
        case running
        case finished
        /// The same command goes on with it.
        case unfinished
    }

    package let path: String
    package let command: String
    /// By their dotted names, as text.
    package let options: [String: String]
    package let log: [TrainingLog.Entry]
    package let state: State

    /// What finished runs leave in their folders: those of `vae` and `fit`, and a range test.
    private static let results = ["vae", "fit", "lr-range.json"]
    /// What an experiment leaves, and what is in it until it is finished.
    private static let experiment = (name: "results.json", missing: "missing")
    private static let optionsKey = "options"

    /// - Throws: when the folder is not that of a run.
    package init(_ path: String) throws(FileError) {
        let file = "\(path)/\(RunDirectory.configurationName)"
        guard StoredFile.exists(file), case .object(let members)? = try? JSONFile.read(JSONValue.self, from: file),
            case .string(let command)? = members["command"]
        else {
            throw FileError(path, "is not a run's folder: it has no \(RunDirectory.configurationName) of a run")
        }
        (self.path, self.command) = (path, command)
        options = (members[Self.optionsKey] ?? .null).flattened()
        let logPath = "\(path)/\(RunDirectory.logName)"
        log = StoredFile.exists(logPath) ? try TrainingLog.entries(logPath) : []
        state = Self.isLocked("\(path)/\(RunDirectory.lockName)") ? .running : try Self.isFinished(path) ? .finished : .unfinished
    }

    private static func isFinished(_ path: String) throws(FileError) -> Bool {
        if try StoredFolder.names(in: path).contains(where: results.contains) { return true }
        guard case .object(let found)? = try? JSONFile.read(JSONValue.self, from: "\(path)/\(experiment.name)") else { return false }
        return found[experiment.missing] == nil
    }

    /// All runs at and below a folder, in the order of their paths. Folders inside a run belong to it.
    /// - Throws: when the folder cannot be read.
    package static func all(under folder: String, depth: Int = 4) throws(FileError) -> [RunRecord] {
        if let run = try? RunRecord(folder) { return [run] }
        guard depth > 0 else { return [] }
        var found: [RunRecord] = []
        for name in try StoredFolder.names(in: folder).sorted() where !name.hasPrefix(".") && StoredFolder.exists("\(folder)/\(name)") {
            found += (try? all(under: "\(folder)/\(name)", depth: depth - 1)) ?? []
        }
        return found
    }

    package var steps: Int { log.last?.step ?? 0 }
    /// What the run has taken, pauses left out; nil for one without a log.
    package var seconds: Double? { log.last?.seconds }

    /// Every figure that was logged, step by step.
    package var curves: [String: [(step: Int, value: Double)]] {
        var curves: [String: [(step: Int, value: Double)]] = [:]
        for entry in log { for (name, value) in entry.figures.values { curves[name, default: []].append((entry.step, value)) } }
        return curves
    }

    /// Whether some process holds the lock, found out without taking it.
    private static func isLocked(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, let table = heldLocks() else { return false }
        return table.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.contains("FLOCK") && fields.contains { $0.split(separator: ":").count == 3 && $0.hasSuffix(":\(status.st_ino)") }
        }
    }

    /// What the system says about locks; nil where it does not. Its file has no size, so that it is read until nothing comes any more.
    private static func heldLocks() -> String? {
        let file = open("/proc/locks", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var (text, buffer): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 4096))
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += buffer.prefix(count)
        }
    }
}

extension RunRecord {
    /// Which of a figure's values is the best.
    package enum Direction: Sendable {
        case highest, lowest
        /// It is no measure of quality.
        case neither
    }

    package static func direction(of figure: String) -> Direction {
        let neither = ["norm", "rate", "images_per_second", "penalty", "codebook_use"]
        if neither.contains(where: figure.hasSuffix) { return .neither }
        return figure.hasSuffix("psnr") || figure.hasSuffix("ssim") ? .highest : .lowest
    }

    /// A figure's last value, and where another was better that one with its step; nil where it was not logged.
    package func summary(of figure: String) -> String? {
        guard let last = curves[figure]?.last else { return nil }
        guard let best = best(figure), best.value != last.value else { return Figure.text(last.value) }
        return "\(Figure.text(last.value)) (\(Figure.text(best.value)) at step \(best.step))"
    }

    /// Where a figure was best; nil where it was not logged, or has no best.
    package func best(_ figure: String) -> (step: Int, value: Double)? {
        guard let curve = curves[figure] else { return nil }
        switch Self.direction(of: figure) {
        case .highest: return curve.max { $0.value < $1.value }
        case .lowest: return curve.min { $0.value < $1.value }
        case .neither: return nil
        }
    }
}

extension JSONValue {
    /// What is inside, by dotted names.
    fileprivate func flattened(_ path: String = "") -> [String: String] {
        guard case .object(let members) = self else { return self == .null ? [:] : [path: text] }
        return members.reduce(into: [:]) { all, member in
            all.merge(member.value.flattened(path.isEmpty ? member.key : "\(path).\(member.key)")) { first, _ in first }
        }
    }
}
