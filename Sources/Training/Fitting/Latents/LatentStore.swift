import Compute
import Files
import Images
import Jobs
import Networks
import TokenizerCore

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
        /// What these images were, all together, and each.
        var pictures: PictureRecord
        /// Nil in what versions before this wrote: extracting again reads the pictures and fills it in.
        var images: [LatentImage]?

        var range: Range<Int> { firstImage..<firstImage + imageCount }

        /// Whether the images that it lists have its rows between them.
        func hasPossibleImages(_ squares: Int) -> Bool {
            guard let images else { return true }
            return images.count == imageCount && images.allSatisfy { $0.rows == 0 || $0.rows == squares && $0.key != nil }
                && images.reduce(0) { $0 + $1.rows } == rows
        }
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
        /// Nil for the one square that a server makes of a picture.
        var crops: CropPlan?

        var squaresPerPicture: Int { crops?.squaresPerPicture ?? 1 }
    }

    package struct Manifest: Codable {
        var formatVersion = Self.currentFormat
        package let description: Description
        var shards: [Shard]
        /// Where each picture belongs. It does not change latents, and may change when they are extracted again; nil in what versions
        /// before this wrote.
        var split: Split?

        private static let currentFormat = 2

        init(description: Description) {
            (self.description, shards) = (description, [])
        }

        /// What there is to know about each picture, as far as it is known.
        var images: [LatentImage] { shards.flatMap { $0.images ?? [] } }

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
            guard shape.isPossible, (1...8192).contains(description.imageSize), (0...1 << 40).contains(description.imageCount),
                description.crops.map({ $0.problem == nil }) ?? true
            else { return false }
            var next = 0
            for shard in shards {
                guard LatentShard.isName(shard.name), (next...description.imageCount).contains(shard.firstImage),
                    (1...description.imageCount).contains(shard.imageCount), shard.imageCount <= description.imageCount - shard.firstImage,
                    (0...shard.imageCount * description.squaresPerPicture).contains(shard.rows), shard.rows <= shard.digest.bytes / shape.count,
                    shard.hasPossibleImages(description.squaresPerPicture)
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

    /// Tells these latents from all others: what ``LatentStore/manifestName`` says, but where the pictures lie on the disk, and their labels.
    package var identity: FileDigest {
        var manifest = manifest
        for index in manifest.shards.indices {
            manifest.shards[index].pictures.stamp = ""
            manifest.shards[index].images = manifest.shards[index].images?.map { image in
                var image = image
                image.label = nil
                return image
            }
        }
        return FileDigest(contents: JSONFile.bytes(manifest))
    }

    /// How many images have latents.
    package var rows: Int { manifest.shards.reduce(0) { $0 + $1.rows } }

    /// Where each latent belongs.
    /// - Throws: when a part has too few pictures.
    package func parts() throws(FileError) -> LatentParts {
        let parts = LatentParts(manifest)
        if let problem = parts.problem { throw FileError(path: directory, reason: "\(directory) holds \(problem)") }
        return parts
    }

    /// A warning, where it is not known which pictures the latents are of.
    package var ageWarning: String? {
        guard LatentParts(manifest).pictures == nil else { return nil }
        return
            "warning: \(directory) was extracted by an earlier version, which did not note down the pictures' contents: the split deals latents by "
            + "their places, so that copies of a picture may be on both sides and the autoencoder's own parts are others; call extract again with the "
            + "same options: it reads the pictures and keeps the latents"
    }

    /// The pictures that held-out latents were made from, where they were kept: at most `most` of a part, chosen by their contents.
    /// - Returns: places among the part's rows, in order, with what the rows were made from.
    package func originals(_ parts: LatentParts, _ part: Split.Part, most: Int = .max) -> [(place: Int, picture: RGBImage)] {
        let originals = OriginalPictures(in: directory, parts.split, pictures: manifest.description.imageCount)
        let rows = parts[part]
        let chosen = rows.indices.sorted { parts.square(rows[$0]) < parts.square(rows[$1]) }.lazy.compactMap { place in
            let square = parts.square(rows[place])
            return originals.square(square.index, of: square.key).map { (place: place, picture: $0) }
        }
        return chosen.prefix(most).sorted { $0.place < $1.place }
    }

    /// All latents, those to learn from first, then those to choose by, then those to report on; in the order of the images in each part.
    /// - Throws: when a file is missing, was changed, or holds NaN or infinite values.
    package func load(_ parts: LatentParts) throws(FileError) -> Latents { try load(rows: Split.Part.allCases.flatMap { parts[$0] }) }

    /// All latents, in the order of the images.
    /// - Throws: when a file is missing, was changed, or holds NaN or infinite values.
    package func load() throws(FileError) -> Latents { try load(rows: Array(0..<rows)) }

    /// The chosen latents, in the given order. Files that have none of them are not read.
    /// - Throws: when a file is not there or has another size, or one that is read was changed, or holds NaN or infinite values.
    func load(rows chosen: [Int]) throws(FileError) -> Latents {
        let (rows, shape) = (rows, latentShape)
        guard rows > 0 else { throw FileError(path: directory, reason: "\(directory) holds no latents: none of its images could be read") }
        // Before memory is taken for what they are said to hold.
        for shard in manifest.shards { guard try size(of: shard) == shard.digest.bytes else { throw changed(shard) } }
        var places = [Int?](repeating: nil, count: rows)
        for (place, row) in chosen.enumerated() { places[row] = place }
        let shards = self.shards.filter { shard in places[shard.rows].contains { $0 != nil } }
        try Workers.forEachThrowing(shards.count) { index throws(FileError) in
            guard try FileDigest(of: path(of: shards[index].file)) == shards[index].file.digest else { throw changed(shards[index].file) }
        }
        var all = Tensor(uninitialized: [chosen.count] + shape.map)
        for (file, rows) in shards {
            let part = Latents(rows: try load(file), shape: shape).map
            withPointers(writing: &all, reading: part) { all, part in
                Workers.forEach(rows.count) { row in
                    guard let place = places[rows.lowerBound + row] else { return }
                    (all + place * shape.count).update(from: part + row * shape.count, count: shape.count)
                }
            }
        }
        return Latents(all)
    }

    /// The files, with the rows that each has of all.
    private var shards: [(file: Shard, rows: Range<Int>)] {
        var row = 0
        return manifest.shards.map { shard in
            defer { row += shard.rows }
            return (shard, row..<row + shard.rows)
        }
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
