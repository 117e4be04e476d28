import Compute
import Files

/// Saved states of a run: a folder `states/<step>` each, with `tensors.safetensors`, that appears whole or not at all.
///
/// The newest is kept, and another where that is asked for. Random sources are functions of the step, so tensors and the step are all there is to save.
package struct TrainingStates {
    private let folder: String
    private static let tensorsName = "tensors.safetensors"

    package init(of run: RunDirectory) {
        folder = "\(run.path)/states"
    }

    /// The newest state, or nil before the first.
    package func newest() throws(FileError) -> (step: Int, tensors: SafetensorsFile)? {
        try StoredFolder.create(folder)
        guard let step = try steps().max() else { return nil }
        return (step, try tensors(step: step))
    }

    /// Those saved after `step` steps.
    package func tensors(step: Int) throws(FileError) -> SafetensorsFile { try SafetensorsFile("\(folder)/\(step)/\(Self.tensorsName)") }

    /// Saves the state after `step` steps, durably, then removes older ones.
    /// - Parameter good: a step whose state stays, for ``rollBack(to:)``.
    package func save(_ tensors: [(name: String, tensor: Tensor)], step: Int, keeping good: Int? = nil) throws(FileError) {
        let older = try steps()
        guard !older.contains(step) else { return }
        let staged = try StagedFolder(for: "\(folder)/\(step)")
        try SafetensorsWriter.write(tensors, to: "\(staged.path)/\(Self.tensorsName)")
        try staged.publish()
        for step in older where step != good { StoredFolder.remove("\(folder)/\(step)") }
    }

    /// Removes all states after a step, so that the run goes on from there.
    package func rollBack(to step: Int) throws(FileError) {
        for later in try steps() where later > step { StoredFolder.remove("\(folder)/\(later)") }
    }

    private func steps() throws(FileError) -> [Int] {
        try StoredFolder.names(in: folder).compactMap(Int.init)
    }
}

/// Says when a run should save: every so often, so that a crash costs at most that much work.
package struct SaveTimer {
    private let interval: Duration
    private var last: ContinuousClock.Instant

    package init(every interval: Duration) {
        self.interval = interval
        last = .now
    }

    /// Whether the interval has passed since the last save; the caller then saves.
    package mutating func isDue() -> Bool {
        guard ContinuousClock.now - last >= interval else { return false }
        last = .now
        return true
    }
}
