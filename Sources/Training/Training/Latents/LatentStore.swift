import TokenizerCore

/// The latents of a folder of images: checksummed files of many images each, and `latents.json` that says what they are.
public struct LatentStore: Sendable {
    /// One file.
    struct Shard: Codable, Equatable {
        let name: String
        /// The images it covers, in the folder's order; those that could not be read have no row.
        let firstImage: Int
        let imageCount: Int
        let rows: Int
        let digest: FileDigest
    }

    /// What latents mean: equal descriptions make equal latents.
    struct Description: Codable, Equatable {
        let imagesSignature: String
        let imageCount: Int
        let imageSize: Int
        let vaeConfiguration: FileDigest
        let vaeWeights: FileDigest
        let latentShape: LatentShape
        let precision: SafetensorsWriter.Precision
    }

    struct Manifest: Codable {
        var formatVersion = 1
        let description: Description
        var shards: [Shard]

        var coveredImages: Int { shards.reduce(0) { $0 + $1.imageCount } }

        /// Without those of a file that is being extended.
        func coveredImages(besides shard: LatentShard) -> Int {
            shards.reduce(0) { $0 + ($1.firstImage == shard.firstImage ? 0 : $1.imageCount) }
        }
    }

    static let manifestName = "latents.json"
    static let tensorName = "latents"
    public let directory: String
    let manifest: Manifest

    /// Opens a complete store.
    /// - Throws: when the folder is no store, or its extraction was not finished.
    public init(_ directory: String) throws(FileError) {
        manifest = try JSONFile.read(Manifest.self, from: "\(directory)/\(Self.manifestName)")
        self.directory = directory
        let (covered, wanted) = (manifest.coveredImages, manifest.description.imageCount)
        guard manifest.formatVersion == 1, covered == wanted else {
            throw FileError(path: directory, reason: "\(directory) holds latents of \(covered) of \(wanted) images: run extract again to complete it")
        }
    }

    public var latentShape: LatentShape { manifest.description.latentShape }
    public var imageSize: Int { manifest.description.imageSize }

    /// How many images have latents.
    var rows: Int { manifest.shards.reduce(0) { $0 + $1.rows } }

    /// All latents, `[n, C·H·W]`, in the order of the images.
    /// - Throws: when a file is missing, was changed, or holds NaN or infinite values.
    public func load() throws(FileError) -> Tensor {
        let (rows, width) = (rows, latentShape.count)
        guard rows > 0 else { throw FileError(path: directory, reason: "\(directory) holds no latents: none of its images could be read") }
        var all = Tensor(uninitialized: [rows, width])
        var row = 0
        for shard in manifest.shards where shard.rows > 0 {
            let part = try load(shard)
            all.withMutablePointer { all in part.withPointer { (all + row * width).update(from: $0, count: part.count) } }
            row += shard.rows
        }
        return all
    }

    /// The autoencoder in the folder `vae`.
    /// - Throws: when it cannot be read, or is not the one that made these latents.
    func autoencoder(_ vae: String) throws(FileError) -> AutoencoderDC {
        let found = (
            try FileDigest(of: "\(vae)/\(AutoencoderDC.configurationName)"), try FileDigest(of: "\(vae)/\(AutoencoderDC.weightsName)")
        )
        guard found == (manifest.description.vaeConfiguration, manifest.description.vaeWeights) else {
            throw FileError(path: vae, reason: "\(directory) holds latents of another autoencoder than \(vae)")
        }
        return try AutoencoderDC(directory: vae)
    }

    private func load(_ shard: Shard) throws(FileError) -> Tensor {
        let path = "\(directory)/\(shard.name)"
        guard try FileDigest(of: path) == shard.digest else {
            throw FileError(path: path, reason: "\(path) is not the file that was extracted: its size or SHA-256 differs")
        }
        let tensor = try SafetensorsFile(path).tensor(Self.tensorName)
        guard tensor.shape == [shard.rows, latentShape.count], tensor.isFinite else {
            throw FileError(path: path, reason: "\(path) does not hold \(shard.rows) × \(latentShape.count) finite numbers")
        }
        return tensor
    }
}
