import Compute
import Files
import FoundationEssentials
import Networks

/// A checkpoint directory: its parts, loaded and checked.
package struct Checkpoint {
    static let quantizerName = "quantizer.safetensors"
    static let rectifierName = "rectifier.safetensors"
    private static let vaeName = "vae"

    package let manifest: CheckpointManifest
    package let vae: AutoencoderDC
    package let normalizer: LatentNormalizer
    package let quantizer: GroupQuantizer
    package let rectifier: Rectifier
    let golden: [GoldenImage]

    /// Loads `directory`, checking sizes, hashes, shapes and that every number is finite.
    /// - Precondition: `precision` has no ``Precision/obstacle``.
    package init(_ directory: String, precision: Precision = .float32) throws(CheckpointError) {
        let manifest = try CheckpointManifest(directory: directory)
        self.manifest = manifest
        do throws(FileError) {
            try Self.verify(manifest.files, in: directory)
            vae = try Self.vae(of: manifest, beside: directory, precision)
            let weights = try SafetensorsFile("\(directory)/\(Self.quantizerName)")
            let count = manifest.latentShape.count
            var normalizer = LatentNormalizer(mean: Tensor(uninitialized: [count]), deviation: Tensor(uninitialized: [count]))
            try normalizer.load(from: weights, prefix: "normalizer")
            let quantizer = try GroupQuantizer(manifest.quantizer, shape: manifest.latentShape, from: weights, prefix: "quantizer")
            var rectifier = Rectifier(manifest.rectifier, shape: manifest.latentShape, .placeholder.computing(in: precision))
            if manifest.rectifier.network != .identity {
                try rectifier.load(from: SafetensorsFile("\(directory)/\(Self.rectifierName)"))
            }
            (self.normalizer, self.quantizer, self.rectifier) = (normalizer, quantizer, rectifier)
            golden = try Self.golden(in: directory)
        } catch {
            throw CheckpointError(directory, error.reason)
        }
        try Self.checkLatents(of: vae.configuration, manifest, directory)
    }

    private static func verify(_ files: [String: FileDigest], in directory: String) throws(FileError) {
        for (name, digest) in files.sorted(by: { $0.key < $1.key }) {
            try verify("\(directory)/\(name)", digest)
        }
    }

    private static func verify(_ path: String, _ digest: FileDigest) throws(FileError) {
        let found = try FileDigest(of: path)
        guard found.bytes == digest.bytes else { throw FileError(path, "has \(found.bytes) bytes, the manifest says \(digest.bytes)") }
        guard found.sha256 == digest.sha256 else { throw FileError(path, "its SHA-256 is not the manifest's: the file was changed") }
    }

    private static func vae(
        of manifest: CheckpointManifest, beside directory: String, _ precision: Precision
    ) throws(FileError) -> AutoencoderDC {
        let own = "\(directory)/\(vaeName)"
        let folder = StoredFolder.exists(own) ? own : "\(PathName.folder(of: directory))/\(manifest.vae.sharedDirectoryName)"
        return try AutoencoderCache.shared.autoencoder(manifest.vae, precision) { () throws(FileError) in
            try verify("\(folder)/\(AutoencoderDC.configurationName)", manifest.vae.configuration)
            try verify("\(folder)/\(AutoencoderDC.weightsName)", manifest.vae.weights)
            return try AutoencoderDC(directory: folder, precision: precision)
        }
    }

    private static func golden(in directory: String) throws(FileError) -> [GoldenImage] {
        let path = "\(directory)/\(GoldenImage.listName)"
        let bytes = try StoredFile.read(path, maximumBytes: 16 << 20)
        do {
            return try JSONDecoder().decode([GoldenImage].self, from: Data(bytes))
        } catch {
            throw FileError(path, "is not a list of golden images: \(error.summary)")
        }
    }

    private static func checkLatents(
        of configuration: AutoencoderConfiguration, _ manifest: CheckpointManifest, _ directory: String
    ) throws(CheckpointError) {
        let (factor, shape) = (configuration.factor, manifest.latentShape)
        guard manifest.imageSize % factor == 0,
            shape == LatentShape(channels: configuration.latentChannels, height: manifest.imageSize / factor, width: manifest.imageSize / factor)
        else {
            throw CheckpointError(
                directory,
                "its autoencoder turns \(manifest.imageSize)-pixel images into \(configuration.latentChannels)-channel latents at 1/\(factor), the manifest says \(shape)")
        }
    }
}
