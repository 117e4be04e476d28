import Compute
import Files
import Locks
import Networks

/// A checkpoint directory: its parts, loaded and checked.
public struct Checkpoint: Sendable {
    static let quantizerName = "quantizer.safetensors"
    static let rectifierName = "rectifier.safetensors"

    package let directory: String
    /// Of the products that tokens and pictures are computed with.
    package let precision: Precision
    package let manifest: CheckpointManifest
    package let vae: Autoencoder
    package let normalizer: LatentNormalizer
    package let quantizer: GroupQuantizer
    package let rectifier: Rectifier
    let golden: [GoldenImage]

    /// The model's name: what users select.
    public var name: String { manifest.name }
    /// Grows with every publication of the same model.
    public var version: Int { manifest.version }
    /// Identifies what a token means: checkpoints with equal fingerprints decode each other's tokens to the same pictures.
    public var fingerprint: String { manifest.fingerprint }

    /// Which pictures it was made with; nil where that is not known.
    /// - Throws: when its record of them is not the one that was published.
    package func pictures() throws(FileError) -> PictureParts? {
        guard let known = manifest.pictures else { return nil }
        let path = "\(directory)/\(PictureParts.fileName)"
        guard try FileDigest(of: path) == known.record else {
            throw FileError(path: path, reason: "\(path) is not the file that was published: its size or SHA-256 differs")
        }
        return try PictureParts.read(from: directory)
    }

    /// Loads `directory`, checking sizes, hashes, shapes and that every number is finite.
    public init(_ directory: String) throws(CheckpointError) {
        try self.init(directory, precision: .float32)
    }

    /// Loads the newest version of a model: of the folders in `model` whose names are numbers, the one of the largest.
    public init(newestIn model: String) throws(CheckpointError) {
        let names: [String]
        do throws(FileError) {
            names = try StoredFolder.names(in: model)
        } catch {
            throw CheckpointError(model, error.reason)
        }
        guard let newest = names.filter({ Int($0) != nil }).max(by: { Int($0)! < Int($1)! }) else {
            throw CheckpointError(model, "there is no version of a model in it: a folder whose name is a number")
        }
        try self.init("\(model)/\(newest)")
    }

    /// Loads `directory`, checking sizes, hashes, shapes and that every number is finite.
    /// - Parameter goesOn: asked again and again; once it says no, loading ends with an error.
    /// - Precondition: `precision` has no ``Precision/obstacle``.
    package init(_ directory: String, precision: Precision, while goesOn: @escaping () -> Bool = { true }) throws(CheckpointError) {
        let manifest = try CheckpointManifest(directory: directory)
        (self.directory, self.precision, self.manifest) = (directory, precision, manifest)
        do throws(FileError) {
            let files = try CheckpointFiles(manifest, in: directory, while: goesOn)
            try files.verifyOthers()
            golden = try files.golden()
            vae = try files.vae(precision)
            let weights = try files.weights(Self.quantizerName)
            let specification = manifest.specification
            let shape = specification.latentShape
            var normalizer = LatentNormalizer(placeholder: shape)
            try normalizer.load(from: weights, prefix: "normalizer")
            let quantizer = try GroupQuantizer(specification.quantizer, shape: shape, from: weights, prefix: "quantizer")
            var rectifier = Rectifier(specification.rectifier, shape: shape, .placeholder.computing(in: precision))
            if specification.rectifier.network != .identity {
                try rectifier.load(from: files.weights(Self.rectifierName))
            }
            (self.normalizer, self.quantizer, self.rectifier) = (normalizer, quantizer, rectifier)
        } catch {
            throw CheckpointError(directory, error.reason)
        }
        try Self.checkLatents(of: vae.configuration, manifest.specification, directory)
    }

    private static func checkLatents(
        of configuration: AutoencoderConfiguration, _ specification: TokenizerSpecification, _ directory: String
    ) throws(CheckpointError) {
        let (factor, size, shape) = (configuration.factor, specification.imageSize, specification.latentShape)
        guard size % factor == 0,
            shape == LatentShape(channels: configuration.latentChannels, height: size / factor, width: size / factor)
        else {
            throw CheckpointError(
                directory,
                "its autoencoder turns \(size)-pixel images into \(configuration.latentChannels)-channel latents at 1/\(factor), the manifest says \(shape)"
            )
        }
    }
}

/// A checkpoint that cannot be used: which one, and in one line why.
public struct CheckpointError: Error, Equatable, CustomStringConvertible {
    public let directory: String
    public let reason: String

    package init(_ directory: String, _ reason: String) {
        (self.directory, self.reason) = (directory, reason)
    }

    public var description: String { "checkpoint \(directory) was refused: \(reason)" }
}

/// Autoencoders by the hash of their files and their precision, so that all checkpoints on one share its weights.
final class AutoencoderCache: Sendable {
    static let shared = AutoencoderCache()

    /// Checkpoints replace each other one by one, so the last few are all that can be shared.
    private static let capacity = 4
    private struct Key: Equatable {
        let files: CheckpointManifest.VAE
        let precision: Precision
    }

    private let recent = Lock<[(key: Key, autoencoder: Autoencoder)]>([])

    func autoencoder(
        _ files: CheckpointManifest.VAE, _ precision: Precision, load: () throws(FileError) -> Autoencoder
    ) throws(FileError) -> Autoencoder {
        let key = Key(files: files, precision: precision)
        let known = recent.withLock { recent in recent.first { $0.key == key }?.autoencoder }
        if let known { return known }
        let loaded = try load()
        recent.withLock { recent in
            recent.insert((key, loaded), at: 0)
            recent = Array(recent.prefix(Self.capacity))
        }
        return loaded
    }
}
