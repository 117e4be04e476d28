import FoundationEssentials
import Glibc
import TokenizerCore

/// The figures of a run, a JSON object per line: `{"loss":0.0123,"step":100}`.
///
/// Lines are written as they come and put on the disk together with a saved state; a resumed run drops those after its state.
public final class TrainingLog {
    /// One line.
    public struct Entry: Codable, Equatable, Sendable {
        public let step: Int
        public let values: [String: Double]

        public init(step: Int, values: [String: Double]) {
            self.step = step
            self.values = values
        }

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        public init(from decoder: any Decoder) throws {
            let line = try decoder.container(keyedBy: Key.self)
            step = try line.decode(Int.self, forKey: Key(stringValue: "step"))
            var values: [String: Double] = [:]
            for key in line.allKeys where key.stringValue != "step" { values[key.stringValue] = try line.decode(Double.self, forKey: key) }
            self.values = values
        }

        public func encode(to encoder: any Encoder) throws {
            var line = encoder.container(keyedBy: Key.self)
            try line.encode(step, forKey: Key(stringValue: "step"))
            // JSON has no infinities; a diverged run's figure is left out.
            for (name, value) in values where value.isFinite { try line.encode(value, forKey: Key(stringValue: name)) }
        }
    }

    private let path: String
    private let file: Int32

    /// Opens the log at `path` for lines after step `resumed`; later ones, of work that was lost, are removed.
    public init(_ path: String, resumedAt resumed: Int) throws(FileError) {
        if access(path, F_OK) == 0 {
            let kept = try Self.entries(path).filter { $0.step <= resumed }
            try StoredFile.write(kept.flatMap(Self.line), to: path)
        }
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw FileError(path: path, reason: "\(path): cannot open: \(String(cString: strerror(errno)))") }
        self.path = path
    }

    deinit {
        close(file)
    }

    public func append(_ entry: Entry) throws(FileError) {
        try check(Self.line(entry).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) == $0.count })
    }

    /// Waits until the disk has every line.
    public func sync() throws(FileError) {
        try check(fsync(file) == 0)
    }

    /// All whole lines; a last one that was cut off is dropped.
    static func entries(_ path: String) throws(FileError) -> [Entry] {
        let decoder = JSONDecoder()
        return try StoredFile.read(path).split(separator: UInt8(ascii: "\n")).compactMap { try? decoder.decode(Entry.self, from: Data($0)) }
    }

    private static func line(_ entry: Entry) -> [UInt8] {
        JSONFile.bytes(entry, isPretty: false) + [UInt8(ascii: "\n")]
    }

    private func check(_ isDone: Bool) throws(FileError) {
        guard isDone else { throw FileError(path: path, reason: "\(path): cannot write: \(String(cString: strerror(errno)))") }
    }
}
