import Glibc
import TokenizerCore

/// What an evaluation that was stopped has measured, image by image, in the folder of its results: it goes on from there.
///
/// A journal of something else is begun anew, and one whose results were written is removed.
public final class EvaluationJournal {
    /// What is measured: other subjects' measurements are not mixed.
    public struct Subject: Codable, Equatable, Sendable {
        /// The checkpoint's fingerprint.
        let fingerprint: String
        /// Names, sizes and stamps of the images.
        let images: [String]
        /// Of the weights that figures are defined by.
        let weights: [FileDigest]

        public init(_ manifest: CheckpointManifest, _ source: ImageSource, weights: [FileDigest]) {
            fingerprint = manifest.fingerprint
            images = [String(source.signature, radix: 16), source.stamp(of: 0..<source.count)]
            self.weights = weights
        }
    }

    private enum Line: Codable {
        /// The first one.
        case subject(Subject)
        case measurement(Evaluation.Measurement)
    }

    let path: String
    private let lock: FileLock
    private let file: LineFile<Line>
    private var measurements: [Evaluation.Measurement]

    /// Opens the journal in a folder, which is made where it is missing.
    /// - Throws: when another evaluation is being written there, or nothing can be.
    public init(in directory: String, of subject: Subject) throws(FileError) {
        try StoredFolder.create(directory)
        guard let lock = try FileLock(file: "\(directory)/.lock", waits: false) else {
            throw FileError(path: directory, reason: "\(directory) is in use by another evaluation")
        }
        (path, self.lock) = ("\(directory)/measured.jsonl", lock)
        let lines = access(path, F_OK) == 0 ? try LineFile<Line>.lines(path) : []
        measurements = []
        if case .subject(subject)? = lines.first {
            for case .measurement(let measurement) in lines.dropFirst() { measurements.append(measurement) }
            file = try LineFile(path) { _ in true }
        } else {
            file = try LineFile(path) { _ in false }
            try file.append(.subject(subject))
        }
    }

    /// What earlier calls measured, in the order of the images; at the next call there is nothing.
    func takeMeasurements() -> [Evaluation.Measurement] {
        defer { measurements = [] }
        return measurements
    }

    func append(_ measurement: Evaluation.Measurement) throws(FileError) { try file.append(.measurement(measurement)) }

    /// Removes the file: its figures are in the results now.
    public func remove() { StoredFolder.remove(path) }
}
