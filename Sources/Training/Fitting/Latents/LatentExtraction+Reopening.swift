import Compute
import Files
import Jobs
import Pictures
import TokenizerCore

/// What an extraction finds of an earlier one, and brings up to date.
extension LatentExtraction {
    /// What is there, whole, and made from the pictures as they are now; nil when a stop was requested before that was known.
    func openManifest(_ isStopRequested: () -> Bool) throws(FileError) -> LatentStore.Manifest? {
        let names = try StoredFolder.names(in: directory)
        var manifest = LatentStore.Manifest(description: description)
        if names.contains(LatentStore.manifestName) {
            manifest = try LatentStore.Manifest(of: directory)
            if let difference = difference(from: manifest.description) {
                throw FileError(path: directory, reason: "\(directory) holds latents of \(difference): choose a new folder")
            }
        } else if !names.allSatisfy({ $0.hasPrefix(".") || LatentShard.isName($0) || $0 == OriginalPictures.folderName }) {
            throw FileError(path: directory, reason: "\(directory) is not empty and has no \(LatentStore.manifestName): choose a new folder")
        }
        for damaged in manifest.shards.filter({ (try? FileDigest(of: "\(directory)/\($0.name)")) != $0.digest }) {
            console.say(
                "\(directory)/\(damaged.name) is not the file that was extracted: \(Figure.count(damaged.imageCount, "image")) will be extracted again"
            )
            manifest.shards.removeAll { $0 == damaged }
        }
        guard try compare(&manifest, isStopRequested) else { return nil }
        // What a killed process wrote last and could not note down any more.
        let known = Set(manifest.shards.map(\.name))
        for name in names where LatentShard.isName(name) && !known.contains(name) { StoredFolder.remove("\(directory)/\(name)") }
        try refreshIndex(of: &manifest)
        return try restoreOriginals(manifest, isStopRequested) ? manifest : nil
    }

    private func difference(from found: LatentStore.Description) -> String? {
        if found.vaeWeights != description.vaeWeights || found.vaeConfiguration != description.vaeConfiguration { return "another autoencoder" }
        if found.imageSize != description.imageSize { return "images of side \(found.imageSize), not \(description.imageSize)" }
        if found.imagesSignature != description.imagesSignature { return "other images, or the folder of images has changed" }
        if found.precision != description.precision { return "precision \(found.precision.rawValue), not \(description.precision.rawValue)" }
        if found.crops != description.crops { return "other squares of the images: --crops and --scales differ" }
        return nil
    }

    /// Takes out what was made from pictures that are not there any more, and completes what earlier versions wrote.
    /// - Returns: false when a stop was requested meanwhile.
    private func compare(_ manifest: inout LatentStore.Manifest, _ isStopRequested: () -> Bool) throws(FileError) -> Bool {
        let doubtful = manifest.shards.filter { $0.images == nil || $0.pictures.stamp != source.stamp(of: $0.range) }
        guard !doubtful.isEmpty else { return true }
        console.begin(total: doubtful.reduce(0) { $0 + $1.imageCount }, unit: "comparison")
        var compared = 0
        for shard in doubtful {
            guard let (pictures, images) = record(of: shard, isStopRequested) else { return false }
            compared += shard.imageCount
            console.update(done: compared)
            let index = manifest.shards.firstIndex(of: shard)!
            manifest.shards[index].pictures = pictures
            manifest.shards[index].images = images
            guard pictures.sha256 == shard.pictures.sha256, manifest.shards[index].hasPossibleImages(description.squaresPerPicture) else {
                console.say(
                    "pictures \(shard.firstImage + 1) to \(shard.range.upperBound) are not all those that \(shard.name) was made from: they are extracted again"
                )
                manifest.shards.remove(at: index)
                continue
            }
        }
        console.closeLine()
        try manifest.write(to: directory)
        return true
    }

    /// Reads the pictures of a file again, and decodes them where it is not known which have latents.
    /// - Returns: nil when a stop was requested meanwhile.
    private func record(of shard: LatentStore.Shard, _ isStopRequested: () -> Bool) -> (PictureRecord, [LatentImage])? {
        var (record, images): (PictureRecord, [LatentImage]) = (PictureRecord(stamp: source.stamp(of: shard.range)), [])
        let squares = description.squaresPerPicture
        let isDecoded = shard.images == nil && shard.rows < shard.imageCount * squares
        for start in stride(from: shard.range.lowerBound, to: shard.range.upperBound, by: Self.mostBatchImages) {
            if isStopRequested() { return nil }
            let part = start..<min(start + Self.mostBatchImages, shard.range.upperBound)
            let read = Self.map(part) { index -> (digest: FileDigest?, rows: Int) in
                if isDecoded {
                    let picture = Picture(at: index, in: source, crops, size: description.imageSize)
                    return (picture.digest, picture.squares.count)
                }
                return ((try? source.bytes(at: index)).map { FileDigest(contents: $0) }, squares)
            }
            for (index, picture) in zip(part, read) {
                record.add(picture.digest)
                let rows = shard.images?[index - shard.firstImage].rows ?? picture.rows
                images.append(entry(at: index, picture.digest.map(PictureKey.init), rows: rows))
            }
        }
        return (record, images)
    }

    /// Notes down the split and the labels that are asked for: neither changes latents.
    private func refreshIndex(of manifest: inout LatentStore.Manifest) throws(FileError) {
        let before = (manifest.split, manifest.images)
        manifest.split = split ?? manifest.split ?? .usual
        for index in manifest.shards.indices {
            manifest.shards[index].images = manifest.shards[index].images?.map { image in
                LatentImage(name: image.name, key: image.key, rows: image.rows, label: labels.label(of: image.name))
            }
        }
        guard before != (manifest.split, manifest.images), !manifest.shards.isEmpty else { return }
        try manifest.write(to: directory)
    }

    /// Decodes again the held-out pictures that are missing beside the latents, as after another split was chosen.
    /// - Returns: false when a stop was requested meanwhile.
    private func restoreOriginals(_ manifest: LatentStore.Manifest, _ isStopRequested: () -> Bool) throws(FileError) -> Bool {
        let originals = originals(manifest)
        let missing = manifest.shards.flatMap { shard in
            zip(shard.range, shard.images ?? []).filter { !originals.isComplete($0.1) }.map(\.0)
        }
        guard !missing.isEmpty else { return true }
        console.begin(total: missing.count, unit: "original")
        for (done, index) in missing.enumerated() {
            if isStopRequested() { return false }
            let picture = Picture(at: index, in: source, crops, size: description.imageSize)
            if let key = picture.key { try originals.write(picture.squares, of: key) }
            console.update(done: done + 1)
        }
        console.closeLine()
        return true
    }
}
