import Files

/// The figures of a run, a JSON object per line: `{"images_per_second":512,"loss":0.0123,"seconds":1.25,"step":100}`.
///
/// Lines are written as they come and put on the disk together with a saved state; a resumed run drops those after its state. Where a folder
/// is named for it, TensorBoard gets the same figures.
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

        /// What the run computed: without the times, which differ from call to call.
        package var figures: Entry { Entry(step: step, values: values.filter { $0.key != secondsName && $0.key != rateName }) }
        /// What the run had taken by then.
        package var seconds: Double? { values[secondsName] }
    }

    private static let secondsName = "seconds", rateName = "images_per_second"

    private let file: LineFile<Entry>
    /// Since this log was opened.
    private let elapsed: () -> Duration
    /// What the run took before that.
    private let secondsBefore: Double
    private var lastImages: Duration
    private let events: EventFile?

    /// Opens the log at `path` for lines after step `resumed`; later ones, of work that was lost, are removed.
    /// - Parameters:
    ///   - folder: for TensorBoard's events, of the lines that stay and of those to come.
    ///   - elapsed: time since this moment.
    package init(
        _ path: String, resumedAt resumed: Int, events folder: String? = nil, elapsed: @escaping () -> Duration = TrainingLog.stopwatch()
    ) throws(FileError) {
        let kept = StoredFile.exists(path) ? try Self.entries(path).filter { $0.step <= resumed } : []
        secondsBefore = kept.last?.values[Self.secondsName] ?? 0
        file = try LineFile(path) { $0.step <= resumed }
        self.elapsed = elapsed
        lastImages = elapsed()
        events = try folder.map { folder throws(FileError) in try EventFile(in: folder) }
        for entry in kept { try report(entry) }
    }

    /// Appends a line, with the seconds that the run has taken.
    /// - Parameter images: how many were worked on since the last line that had some; 0 for a line that is no work, such as a measurement.
    package func append(step: Int, images: Int = 0, _ values: [String: Double]) throws(FileError) {
        let now = elapsed()
        var values = values
        values[Self.secondsName] = ((secondsBefore + now / .seconds(1)) * 1000).rounded() / 1000
        if images > 0 {
            values[Self.rateName] = (Double(images) / max((now - lastImages) / .seconds(1), 1e-6) * 100).rounded() / 100
            lastImages = now
        }
        let entry = Entry(step: step, values: values)
        try file.append(entry)
        try report(entry)
    }

    private func report(_ entry: Entry) throws(FileError) {
        try events?.append(step: entry.step, seconds: entry.values[Self.secondsName] ?? 0, entry.values.filter { $0.key != Self.secondsName })
    }

    /// Waits until the disk has every line.
    package func sync() throws(FileError) { try file.sync() }

    /// All whole lines; a last one that was cut off is dropped.
    package static func entries(_ path: String) throws(FileError) -> [Entry] { try LineFile<Entry>.lines(path) }

    /// Time since the call.
    package static func stopwatch() -> () -> Duration {
        let start = ContinuousClock.now
        return { ContinuousClock.now - start }
    }
}
