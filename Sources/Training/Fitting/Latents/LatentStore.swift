import Compute
import Files
import Jobs
import Networks

/// The latents of a folder of images: checksummed files of many images each, and `latents.json` that says what they are.
package struct LatentStore: Sendable {
    /// One file.
    struct Shard: Codable, Equatable {
        let name: String
        /// The images it covers, in the folder's order; those that could not be read have no row.
        let firstImage: Int
        let imageCount: Int
        let rows: Int
        let digest: FileDigest
        /// What these images were.
        var pictures: PictureRecord

        var images: Range<Int> { firstImage..<firstImage + imageCount }
    }

    /// What latents mean: equal descriptions make equal latents.
    package struct Description: Codable, Equatable {
        let imagesSignature: String
        let imageCount: Int
        let imageSize: Int
        let vaeConfiguration: FileDigest
        package let vaeWeights: FileDigest
        let latentShape: LatentShape
        let precision: SafetensorsWriter.Precision
    }

    package struct Manifest: Codable {
        var formatVersion = Self.currentFormat
        package let description: Description
        var shards: [Shard]

        private static let currentFormat = 2

        init(description: Description) {
            (self.description, shards) = (description, [])
        }

        /// Reads that of a store, complete or not.
        /// - Throws: when there is none, or its numbers are impossible.
        init(of directory: String) throws(FileError) {
            let path = "\(directory)/\(LatentStore.manifestName)"
            self = try JSONFile.read(Manifest.self, from: path)
            guard formatVersion == Self.currentFormat else {
                throw FileError(path: path, reason: "\(path) has format \(formatVersion), not \(Self.currentFormat): extract into a new folder")
            }
            guard isPossible else { throw FileError(path: path, reason: "\(path) is damaged: its numbers are impossible") }
        }

        /// Whether the files cover some of the images once, in order, and lie in the folder.
        private var isPossible: Bool {
            let shape = description.latentShape
            guard shape.isPossible, (1...8192).contains(description.imageSize), (0...1 << 40).contains(description.imageCount) else { return false }
            var next = 0
            for shard in shards {
                guard LatentShard.isName(shard.name), (next...description.imageCount).contains(shard.firstImage),
                    (1...description.imageCount).contains(shard.imageCount), shard.imageCount <= description.imageCount - shard.firstImage,
                    (0...shard.imageCount).contains(shard.rows), shard.rows <= shard.digest.bytes / shape.count
                else { return false }
                next = shard.firstImage + shard.imageCount
            }
            return true
        }

        var coveredImages: Int { shards.reduce(0) { $0 + $1.imageCount } }

        func write(to directory: String) throws(FileError) {
            try StoredFile.write(JSONFile.bytes(self), to: "\(directory)/\(LatentStore.manifestName)")
        }

        /// Without those of a file that is being extended.
        func coveredImages(besides shard: LatentShard) -> Int {
            shards.reduce(0) { $0 + ($1.firstImage == shard.firstImage ? 0 : $1.imageCount) }
        }
    }

    static let manifestName = "latents.json"
    static let tensorName = "latents"
    package let directory: String
    package let manifest: Manifest

    /// Opens a complete store.
    /// - Throws: when the folder is no store, or its extraction was not finished.
    package init(_ directory: String) throws(FileError) {
        manifest = try Manifest(of: directory)
        self.directory = directory
        let (covered, wanted) = (manifest.coveredImages, manifest.description.imageCount)
        guard covered == wanted else {
            throw FileError(
                path: directory,
                reason: "\(directory) holds latents of \(covered) of \(Figure.count(wanted, "image")): run extract again to complete it")
        }
    }

    package var latentShape: LatentShape { manifest.description.latentShape }
    package var imageSize: Int { manifest.description.imageSize }

    /// Tells these latents from all others: what ``LatentStore/manifestName`` says, but where the pictures lie on the disk.
    package var identity: FileDigest {
        var manifest = manifest
        for index in manifest.shards.indices { manifest.shards[index].pictures.stamp = "" }
        return FileDigest(contents: JSONFile.bytes(manifest))
    }

    /// How many images have latents.
    package var rows: Int { manifest.shards.reduce(0) { $0 + $1.rows } }

    /// All latents, in the order of the images.
    /// - Throws: when a file is missing, was changed, or holds NaN or infinite values.
    package func load() throws(FileError) -> Latents {
        let (rows, shape) = (rows, latentShape)
        guard rows > 0 else { throw FileError(path: directory, reason: "\(directory) holds no latents: none of its images could be read") }
        // Before memory is taken for what they are said to hold.
        for shard in manifest.shards { guard try size(of: shard) == shard.digest.bytes else { throw changed(shard) } }
        let shards = manifest.shards.filter { $0.rows > 0 }
        try Workers.forEachThrowing(shards.count) { index throws(FileError) in
            guard try FileDigest(of: path(of: shards[index])) == shards[index].digest else { throw changed(shards[index]) }
        }
        var all = Tensor(uninitialized: [rows] + shape.map)
        var row = 0
        for shard in shards {
            let part = Latents(rows: try load(shard), shape: shape).map
            all.withMutablePointer { all in
                part.withPointer { part in
                    Workers.forEach(shard.rows) { (all + (row + $0) * shape.count).update(from: part + $0 * shape.count, count: shape.count) }
                }
            }
            row += shard.rows
        }
        return Latents(all)
    }

    /// The autoencoder in the folder `vae`.
    /// - Throws: when it cannot be read, or is not the one that made these latents.
    package func autoencoder(_ vae: String) throws(FileError) -> Autoencoder {
        let found = (
            try FileDigest(of: "\(vae)/\(Autoencoder.configurationName)"), try FileDigest(of: Autoencoder.weightsPath(in: vae))
        )
        guard found == (manifest.description.vaeConfiguration, manifest.description.vaeWeights) else {
            throw FileError(path: vae, reason: "\(directory) holds latents of another autoencoder than \(vae)")
        }
        return try Autoencoder(directory: vae)
    }

    private func path(of shard: Shard) -> String { "\(directory)/\(shard.name)" }

    private func size(of shard: Shard) throws(FileError) -> Int { try ReadableFile(path(of: shard)).count }

    private func changed(_ shard: Shard) -> FileError {
        FileError(path: path(of: shard), reason: "\(path(of: shard)) is not the file that was extracted: its size or SHA-256 differs")
    }

    /// Not on the ``Workers``: they would take the smallest half-precision numbers for zero.
    private func load(_ shard: Shard) throws(FileError) -> Tensor {
        let path = path(of: shard)
        let tensor = try SafetensorsFile(path).tensor(Self.tensorName)
        guard tensor.shape == [shard.rows, latentShape.count], tensor.isFinite else {
            throw FileError(path: path, reason: "\(path) does not hold \(shard.rows) × \(latentShape.count) finite numbers")
        }
        return tensor
    }
}
