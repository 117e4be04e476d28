import Files
import FoundationEssentials
import Networks

/// What a checkpoint consists of: the contract between trainer and server.
package struct CheckpointManifest: Sendable, Equatable {
    /// The one format that this code reads and writes.
    package static let currentFormat = 1
    package static let fileName = "manifest.json"

    /// The frozen autoencoder, by the digests of its two files. It lies in the checkpoint's own `vae` folder, or beside the
    /// checkpoint as `vae-` and the first 12 digits of its weights' hash, where many checkpoints share it.
    package struct VAE: Sendable, Hashable, Codable {
        package let configuration: FileDigest
        package let weights: FileDigest

        static let ownDirectoryName = "vae"
        var sharedDirectoryName: String { "vae-" + weights.sha256.prefix(12) }
    }

    /// Measured by the trainer, for people and dashboards.
    package struct Metrics: Sendable, Equatable, Codable {
        /// Mean PSNR in dB over the held-out images, RGB, 8 bit: through the tokens, and through the autoencoder alone.
        package var psnr: Double
        package var vaePSNR: Double
        /// Mean squared error of the normalised latents after quantising, and after rectifying.
        package var quantizedMSE: Double
        package var rectifiedMSE: Double
        /// Share of codes used on the held-out images, and the perplexity of their use (1 … N).
        package var codebookUse: Double
        package var perplexity: Double
        /// How many held-out images were measured.
        package var images: Int
        /// The same means with their intervals; nil in what earlier versions published.
        package var intervals: Intervals?

        package init(
            psnr: Double, vaePSNR: Double, quantizedMSE: Double, rectifiedMSE: Double, codebookUse: Double, perplexity: Double,
            images: Int, intervals: Intervals? = nil
        ) {
            (self.psnr, self.vaePSNR, self.quantizedMSE, self.rectifiedMSE) = (psnr, vaePSNR, quantizedMSE, rectifiedMSE)
            (self.codebookUse, self.perplexity, self.images, self.intervals) = (codebookUse, perplexity, images, intervals)
        }
    }

    /// How far ``Metrics`` can be trusted.
    package struct Intervals: Sendable, Equatable, Codable {
        package let psnr, vaePSNR, quantizedMSE, rectifiedMSE: PictureMean

        package init(psnr: PictureMean, vaePSNR: PictureMean, quantizedMSE: PictureMean, rectifiedMSE: PictureMean) {
            (self.psnr, self.vaePSNR, self.quantizedMSE, self.rectifiedMSE) = (psnr, vaePSNR, quantizedMSE, rectifiedMSE)
        }
    }

    /// What autoencoder, codes and rectifier were made with.
    package struct Pictures: Sendable, Equatable, Codable {
        package let split: Split
        /// How many pictures of each part.
        package let training, choosing, reporting: Int
        /// The pictures that ``Metrics`` were measured on: the reporting part's, or others that training never met.
        package let measured: Measured
        /// ``PictureParts`` in the checkpoint's folder, by contents. Servers do not read it.
        package let record: FileDigest

        package enum Measured: String, Codable, Sendable {
            case reporting, others
        }

        package init(_ parts: PictureParts, measured: Measured, record: FileDigest) {
            (split, training, choosing, reporting) = (parts.split, parts.training.count, parts.choosing.count, parts.reporting.count)
            (self.measured, self.record) = (measured, record)
        }
    }

    package let formatVersion: Int
    /// The model's name: what users select.
    package let name: String
    /// Grows with every publication of the same model.
    package let version: Int
    package let specification: TokenizerSpecification
    package let vae: VAE
    /// The files beside the manifest: weights, golden images and their list. Nothing else in the directory is read.
    package let files: [String: FileDigest]
    package let metrics: Metrics
    /// Nil where that is not known.
    package let pictures: Pictures?
    /// Identifies what a token means: checkpoints with equal fingerprints decode each other's tokens to the same pictures.
    package let fingerprint: String

    package init(
        name: String, version: Int, specification: TokenizerSpecification, vae: VAE, files: [String: FileDigest], metrics: Metrics,
        pictures: Pictures? = nil
    ) {
        formatVersion = Self.currentFormat
        (self.name, self.version, self.specification) = (name, version, specification)
        (self.vae, self.files, self.metrics, self.pictures) = (vae, files, metrics, pictures)
        fingerprint = Self.fingerprint(specification, vae, files)
    }

    /// Reads and checks the manifest in `directory`.
    package init(directory: String) throws(CheckpointError) {
        do throws(FileError) {
            let bytes = try StoredFile.read(directory + "/" + Self.fileName, maximumBytes: 1 << 20)
            self = try Self.parse(bytes, directory)
        } catch {
            throw CheckpointError(directory, error.reason)
        }
        if let problem { throw CheckpointError(directory, "its manifest is inconsistent: \(problem)") }
    }

    private static func parse(_ bytes: [UInt8], _ directory: String) throws(FileError) -> CheckpointManifest {
        do {
            return try JSONDecoder().decode(CheckpointManifest.self, from: Data(bytes))
        } catch {
            throw FileError(directory + "/" + fileName, "is not a manifest: \(error.summary)")
        }
    }

    /// The whole file, keys in order.
    func serialized() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("a manifest has only finite numbers and strings") }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    /// What is impossible about the numbers, if anything.
    private var problem: String? {
        if formatVersion != Self.currentFormat { return "format version \(formatVersion) is not \(Self.currentFormat)" }
        if files.keys.contains(where: { $0.contains("/") || $0.hasPrefix(".") || $0.isEmpty }) { return "a file name leads elsewhere" }
        let hasRectifier = specification.rectifier.network != .identity
        for name in [Checkpoint.quantizerName, GoldenImage.listName] + (hasRectifier ? [Checkpoint.rectifierName] : []) where files[name] == nil {
            return "it does not list \(name)"
        }
        let digests = files.values + [vae.configuration, vae.weights]
        if let digest = digests.first(where: { !$0.isWellFormed }) { return "\(digest.sha256.prefix(80)) is not a SHA-256" }
        if let problem = specification.problem { return problem }
        let expected = Self.fingerprint(specification, vae, files)
        return expected == fingerprint ? nil : "its fingerprint is \(fingerprint), its contents have \(expected)"
    }

    private static func fingerprint(_ specification: TokenizerSpecification, _ vae: VAE, _ files: [String: FileDigest]) -> String {
        let digests = [
            vae.configuration.sha256, vae.weights.sha256, files[Checkpoint.quantizerName]?.sha256 ?? "",
            files[Checkpoint.rectifierName]?.sha256 ?? "",
        ]
        let parts = ["revq token meaning 1"] + specification.canonicalNames + digests
        return String(FileDigest.sha256(parts.joined(separator: "\n")).prefix(32))
    }
}

/// One flat object: the specification's keys stand among the others.
extension CheckpointManifest: Codable {
    private enum Key: String, CodingKey {
        case formatVersion, name, vae, files, metrics, pictures, fingerprint
        case version = "step"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        formatVersion = try values.decode(Int.self, forKey: .formatVersion)
        name = try values.decode(String.self, forKey: .name)
        version = try values.decode(Int.self, forKey: .version)
        specification = try TokenizerSpecification(from: decoder)
        vae = try values.decode(VAE.self, forKey: .vae)
        files = try values.decode([String: FileDigest].self, forKey: .files)
        metrics = try values.decode(Metrics.self, forKey: .metrics)
        pictures = try values.decodeIfPresent(Pictures.self, forKey: .pictures)
        fingerprint = try values.decode(String.self, forKey: .fingerprint)
    }

    package func encode(to encoder: any Encoder) throws {
        try specification.encode(to: encoder)
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(formatVersion, forKey: .formatVersion)
        try values.encode(name, forKey: .name)
        try values.encode(version, forKey: .version)
        try values.encode(vae, forKey: .vae)
        try values.encode(files, forKey: .files)
        try values.encode(metrics, forKey: .metrics)
        try values.encodeIfPresent(pictures, forKey: .pictures)
        try values.encode(fingerprint, forKey: .fingerprint)
    }
}
