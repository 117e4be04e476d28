import Files
import Jobs
import Pictures
import TokenizerCore

/// The folder of an evaluation's results, and what one that was stopped has measured there, image by image: it goes on from there.
///
/// The folder belongs to one evaluation, as ``RunDirectory`` says, also when it is finished: the same one may be done again, another one is
/// refused.
package final class EvaluationJournal {
    /// What `config.json` of the folder holds: all that the figures depend on.
    package struct Subject: Encodable, Sendable {
        let command = "evaluate"
        /// The checkpoint's.
        let fingerprint: String
        /// What was named, and the names, sizes and stamps of the images there.
        let images, imagesSignature, imagesStamp: String
        /// Of the weights that figures are defined by.
        let weights: [FileDigest]

        package init(_ manifest: CheckpointManifest, _ source: ImageSource, weights: [FileDigest]) {
            fingerprint = manifest.fingerprint
            (images, imagesSignature) = (source.path, String(source.signature, radix: 16))
            imagesStamp = source.stamp(of: 0..<source.count)
            self.weights = weights
        }
    }

    let path: String
    private let directory: RunDirectory
    private let file: LineFile<Evaluation.Measurement>
    private var measurements: [Evaluation.Measurement]

    /// Opens the journal in a folder, which is made where it is missing.
    /// - Throws: when the folder holds something else, another process is at work there, or nothing can be written.
    package init(in folder: String, of subject: Subject) throws(FileError) {
        directory = try RunDirectory(folder, options: subject)
        path = "\(folder)/measured.jsonl"
        measurements = StoredFile.exists(path) ? try LineFile.lines(path) : []
        file = try LineFile(path) { _ in true }
    }

    /// What earlier calls measured, in the order of the images; at the next call there is nothing.
    func takeMeasurements() -> [Evaluation.Measurement] {
        defer { measurements = [] }
        return measurements
    }

    func append(_ measurement: Evaluation.Measurement) throws(FileError) { try file.append(measurement) }

    /// Removes the file: its figures are in the results now.
    package func remove() { StoredFolder.remove(path) }
}
