import Compute
import Files
import Glibc
import Images
import Jobs
import Networks
import Pictures

/// `revq-train extract`: runs every image of a source through a frozen encoder, once, and goes on where it was interrupted.
package struct LatentExtraction {
    /// Images per file.
    private static let shardImages = 512
    /// What a killed process loses at most, besides the images in progress. A save takes some ten milliseconds.
    package static let saveInterval = Duration.seconds(10)
    /// Images that are encoded at once, where the memory allows it.
    private static let mostBatchImages = 8
    private static let lockPollMicroseconds: UInt32 = 100_000

    private let directory: String
    private let source: ImageSource
    private let preprocessor: SquarePreprocessor
    private let vaeDirectory: String
    private let vae: Autoencoder
    private let batchImages: Int
    private let description: LatentStore.Description
    private let console: Console

    /// - Parameters:
    ///   - directory: where the latents go; made where it is missing.
    ///   - vae: a folder of the diffusers layout.
    ///   - size: images are brought to squares of this side first.
    /// - Throws: when the images, the autoencoder or the size cannot be used.
    package init(
        to directory: String, images path: String, vae vaeDirectory: String, size: Int, precision: SafetensorsWriter.Precision,
        console: Console
    ) throws(FileError) {
        source = try ImageSource(path)
        vae = try Autoencoder(directory: vaeDirectory)
        let factor = vae.configuration.factor
        guard (1...8192).contains(size), size % factor == 0 else {
            throw FileError(path: vaeDirectory, reason: "images of \(size) pixels are not a multiple of the autoencoder's factor \(factor)")
        }
        do throws(MemoryShortage) {
            batchImages = try AutoencoderMemory(vae.configuration).largestBatch(
                imageSize: size, atMost: Self.mostBatchImages, within: .machine)
        } catch {
            throw FileError(path: vaeDirectory, reason: "\(vaeDirectory): \(error)")
        }
        preprocessor = SquarePreprocessor(imageSize: size)
        (self.directory, self.vaeDirectory, self.console) = (directory, vaeDirectory, console)
        description = LatentStore.Description(
            imagesSignature: String(source.signature, radix: 16), imageCount: source.count, imageSize: size,
            vaeConfiguration: try FileDigest(of: "\(vaeDirectory)/\(Autoencoder.configurationName)"),
            vaeWeights: try FileDigest(of: "\(vaeDirectory)/\(Autoencoder.weightsName)"),
            latentShape: LatentShape(channels: vae.configuration.latentChannels, height: size / factor, width: size / factor),
            precision: precision)
    }

    /// Extracts what is missing, and again what was made from pictures that have changed. Waits while another process does so.
    /// - Returns: whether all images are done; false when a stop was requested, which is asked before every batch.
    /// - Throws: when the folder holds other latents, or cannot be written; what was saved stays.
    package func run(saveEvery interval: Duration = saveInterval, isStopRequested: () -> Bool = { StopSignal.isRequested }) throws(FileError) -> Bool
    {
        try StoredFolder.create(directory)
        guard let lock = try lock(isStopRequested) else { return false }
        defer { withExtendedLifetime(lock) {} }
        for remark in source.remarks { console.say("passed over: \(remark)") }
        guard var manifest = try openManifest(isStopRequested) else { return false }
        var timer = SaveTimer(every: interval)
        console.begin(total: source.count, start: manifest.coveredImages, unit: "image")
        for start in stride(from: 0, to: source.count, by: Self.shardImages) {
            let range = start..<min(start + Self.shardImages, source.count)
            var shard = try LatentShard(range, number: start / Self.shardImages, of: manifest, in: directory)
            while !shard.isComplete && !isStopRequested() {
                try extend(&shard)
                console.update(done: manifest.coveredImages(besides: shard) + shard.doneImages)
                if shard.isComplete || timer.isDue() { try shard.save(to: &manifest, from: source, in: directory) }
            }
            guard shard.isComplete else {
                try shard.save(to: &manifest, from: source, in: directory)
                break
            }
        }
        console.closeLine()
        let skipped = manifest.shards.reduce(0) { $0 + $1.imageCount - $1.rows }
        if skipped > 0 { console.say("\(skipped) of \(Figure.count(manifest.coveredImages, "image")) could not be read and left no latents") }
        return manifest.coveredImages == source.count
    }

    /// The right to change the folder; nil when a stop was requested before another process gave it up.
    private func lock(_ isStopRequested: () -> Bool) throws(FileError) -> FileLock? {
        let path = "\(directory)/.lock"
        var lock = try FileLock(file: path, waits: false)
        if lock == nil { console.say("another process is extracting into \(directory): waiting for it") }
        while lock == nil && !isStopRequested() {
            usleep(Self.lockPollMicroseconds)
            lock = try FileLock(file: path, waits: false)
        }
        return lock
    }

    /// What is there, whole, and made from the pictures as they are now; nil when a stop was requested before that was known.
    private func openManifest(_ isStopRequested: () -> Bool) throws(FileError) -> LatentStore.Manifest? {
        let names = try StoredFolder.names(in: directory)
        var manifest = LatentStore.Manifest(description: description)
        if names.contains(LatentStore.manifestName) {
            manifest = try LatentStore.Manifest(of: directory)
            if let difference = difference(from: manifest.description) {
                throw FileError(path: directory, reason: "\(directory) holds latents of \(difference): choose a new folder")
            }
        } else if !names.allSatisfy({ $0.hasPrefix(".") || LatentShard.isName($0) }) {
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
        return manifest
    }

    private func difference(from found: LatentStore.Description) -> String? {
        if found.vaeWeights != description.vaeWeights || found.vaeConfiguration != description.vaeConfiguration { return "another autoencoder" }
        if found.imageSize != description.imageSize { return "images of side \(found.imageSize), not \(description.imageSize)" }
        if found.imagesSignature != description.imagesSignature { return "other images, or the folder of images has changed" }
        if found.precision != description.precision { return "precision \(found.precision.rawValue), not \(description.precision.rawValue)" }
        return nil
    }

    /// Takes out what was made from pictures that are not there any more.
    /// - Returns: false when a stop was requested meanwhile.
    private func compare(_ manifest: inout LatentStore.Manifest, _ isStopRequested: () -> Bool) throws(FileError) -> Bool {
        let doubtful = manifest.shards.filter { $0.pictures.stamp != source.stamp(of: $0.images) }
        guard !doubtful.isEmpty else { return true }
        console.begin(total: doubtful.reduce(0) { $0 + $1.imageCount }, unit: "comparison")
        var compared = 0
        for shard in doubtful {
            guard let pictures = record(of: shard.images, isStopRequested) else { return false }
            compared += shard.imageCount
            console.update(done: compared)
            let index = manifest.shards.firstIndex(of: shard)!
            if pictures.sha256 == shard.pictures.sha256 {
                manifest.shards[index].pictures = pictures
            } else {
                console.say(
                    "pictures \(shard.firstImage + 1) to \(shard.images.upperBound) are not all those that \(shard.name) was made from: they are extracted again"
                )
                manifest.shards.remove(at: index)
            }
        }
        console.closeLine()
        try manifest.write(to: directory)
        return true
    }

    /// Reads the pictures; nil when a stop was requested meanwhile.
    private func record(of range: Range<Int>, _ isStopRequested: () -> Bool) -> PictureRecord? {
        var record = PictureRecord(stamp: source.stamp(of: range))
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.mostBatchImages) {
            if isStopRequested() { return nil }
            let part = start..<min(start + Self.mostBatchImages, range.upperBound)
            for digest in Self.map(part, { (try? source.bytes(at: $0)).map { FileDigest(contents: $0) } }) { record.add(digest) }
        }
        return record
    }

    /// Adds the latents of the next few images; those that cannot be read are reported.
    private func extend(_ shard: inout LatentShard) throws(FileError) {
        let range = shard.next(batchImages)
        let pictures = Self.map(range) { Picture(at: $0, in: source, preprocessor) }
        for picture in pictures { if let complaint = picture.complaint { console.say("skipped: \(complaint)") } }
        let batch = pictures.compactMap(\.image)
        let latents = batch.isEmpty ? nil : vae.encode(PixelBatch(images: batch).pixels).rows
        guard latents?.isFinite ?? true else {
            throw FileError(
                path: vaeDirectory, reason: "\(vaeDirectory) makes NaN or infinite latents of images \(range.lowerBound)…\(range.upperBound - 1)")
        }
        shard.append(latents?.values ?? [], pictures.map(\.digest))
    }

    /// One result for each image of `range`, on all threads.
    private static func map<Result>(_ range: Range<Int>, _ body: (Int) -> Result) -> [Result] {
        [Result](unsafeUninitializedCapacity: range.count) { results, count in
            let target = results.baseAddress!
            Workers.forEach(range.count) { (target + $0).initialize(to: body(range.lowerBound + $0)) }
            count = range.count
        }
    }
}

/// One picture on its way into the encoder.
private struct Picture {
    /// Of its file; nil when that cannot be read.
    let digest: FileDigest?
    let image: RGBImage?
    /// What is wrong with it.
    let complaint: FileError?

    init(at index: Int, in source: ImageSource, _ preprocessor: SquarePreprocessor) {
        var digest: FileDigest?
        do throws(FileError) {
            let bytes = try source.bytes(at: index)
            digest = FileDigest(contents: bytes)
            (image, complaint) = (preprocessor(try source.image(at: index, from: bytes)), nil)
        } catch {
            (image, complaint) = (nil, error)
        }
        self.digest = digest
    }
}
