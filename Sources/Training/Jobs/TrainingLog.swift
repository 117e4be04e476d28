import Files

/// The figures of a run, a JSON object per line: `{"loss":0.0123,"step":100}`.
///
/// Lines are written as they come and put on the disk together with a saved state; a resumed run drops those after its state.
package final class TrainingLog {
    /// One line.
    package struct Entry: Codable, Equatable, Sendable {
        package let step: Int
        package let values: [String: Double]

        package init(step: Int, values: [String: Double]) {
            self.step = step
            self.values = values
        }

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        package init(from decoder: any Decoder) throws {
            let line = try decoder.container(keyedBy: Key.self)
            step = try line.decode(Int.self, forKey: Key(stringValue: "step"))
            var values: [String: Double] = [:]
            for key in line.allKeys where key.stringValue != "step" { values[key.stringValue] = try line.decode(Double.self, forKey: key) }
            self.values = values
        }

        package func encode(to encoder: any Encoder) throws {
            var line = encoder.container(keyedBy: Key.self)
            try line.encode(step, forKey: Key(stringValue: "step"))
            // JSON has no infinities; a diverged run's figure is left out.
            for (name, value) in values where value.isFinite { try line.encode(value, forKey: Key(stringValue: name)) }
        }
    }

    private let file: LineFile<Entry>

    /// Opens the log at `path` for lines after step `resumed`; later ones, of work that was lost, are removed.
    package init(_ path: String, resumedAt resumed: Int) throws(FileError) {
        file = try LineFile(path) { $0.step <= resumed }
    }

    package func append(_ entry: Entry) throws(FileError) { try file.append(entry) }

    /// Waits until the disk has every line.
    package func sync() throws(FileError) { try file.sync() }

    /// All whole lines; a last one that was cut off is dropped.
    static func entries(_ path: String) throws(FileError) -> [Entry] { try LineFile<Entry>.lines(path) }
}
