import Compute
import Files
import Glibc
import Images
import Jobs
import Networks
import Pictures
import TokenizerCore

/// `revq-train extract`: runs every image of a source through a frozen encoder, once, and goes on where it was interrupted.
package struct LatentExtraction {
    /// Images per file.
    private static let shardImages = 512
    /// What a killed process loses at most, besides the images in progress. A save takes some ten milliseconds.
    package static let saveInterval = Duration.seconds(10)
    /// Images that are encoded at once, where the memory allows it.
    static let mostBatchImages = 8
    private static let lockPollMicroseconds: UInt32 = 100_000

    let directory: String
    let source: ImageSource
    private let vaeDirectory: String
    private let vae: Autoencoder
    private let batchImages: Int
    let description: LatentStore.Description
    let crops: CropPlan
    let split: Split?
    let labels: PictureLabels
    let console: Console

    /// - Parameters:
    ///   - directory: where the latents go; made where it is missing.
    ///   - vae: a folder of the diffusers layout.
    ///   - size: images are brought to squares of this side first.
    ///   - crops: which squares of each.
    ///   - split: where each picture belongs; by default what the folder says, and ``Split/usual`` in a new one.
    ///   - labels: a text file of them, see ``PictureLabels``, or nil.
    ///   - hasFolderLabels: whether the folder that a picture lies in is its label.
    /// - Throws: when the images, the autoencoder, the labels or a number cannot be used.
    package init(
        to directory: String, images path: String, vae vaeDirectory: String, size: Int, precision: SafetensorsWriter.Precision,
        crops: CropPlan = .centre, split: Split? = nil, labels: String? = nil, hasFolderLabels: Bool = false, console: Console
    ) throws(FileError) {
        if let problem = crops.problem { throw FileError(path: path, reason: problem) }
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
        (self.directory, self.vaeDirectory, self.crops, self.split, self.console) = (directory, vaeDirectory, crops, split, console)
        self.labels = if let labels { try PictureLabels(labels, for: source) } else { hasFolderLabels ? .folders : .none }
        description = LatentStore.Description(
            imagesSignature: String(source.signature, radix: 16), imageCount: source.count, imageSize: size,
            vaeConfiguration: try FileDigest(of: "\(vaeDirectory)/\(Autoencoder.configurationName)"),
            vaeWeights: try FileDigest(of: "\(vaeDirectory)/\(Autoencoder.weightsName)"),
            latentShape: LatentShape(channels: vae.configuration.latentChannels, height: size / factor, width: size / factor),
            precision: precision, crops: crops == .centre ? nil : crops)
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
        var (timer, foreign) = (SaveTimer(every: interval), source.unread)
        console.begin(total: source.count, start: manifest.coveredImages, unit: "image")
        for start in stride(from: 0, to: source.count, by: Self.shardImages) {
            let range = start..<min(start + Self.shardImages, source.count)
            var shard = try LatentShard(range, number: start / Self.shardImages, of: manifest, in: directory)
            while !shard.isComplete && !isStopRequested() {
                try extend(&shard, originals(manifest), &foreign)
                console.update(done: manifest.coveredImages(besides: shard) + shard.doneImages)
                if shard.isComplete || timer.isDue() { try shard.save(to: &manifest, from: source, in: directory) }
            }
            guard shard.isComplete else {
                try shard.save(to: &manifest, from: source, in: directory)
                break
            }
        }
        console.closeLine()
        conclude(manifest, foreign)
        return manifest.coveredImages == source.count
    }

    /// Says what there is now, and what there is not.
    private func conclude(_ manifest: LatentStore.Manifest, _ foreign: [String: Int]) {
        if manifest.coveredImages == source.count {
            originals(manifest).removeOthers(than: manifest.images)
            console.say(LatentParts(manifest).summary)
        }
        if !foreign.isEmpty { console.say("not read: \(ForeignFormat.summary(foreign)): convert them to PNG or JPEG") }
        let skipped = manifest.shards.reduce(0) { $0 + $1.imageCount - $1.rows / description.squaresPerPicture }
        if skipped > 0 { console.say("\(skipped) of \(Figure.count(manifest.coveredImages, "image")) could not be read and left no latents") }
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

    func originals(_ manifest: LatentStore.Manifest) -> OriginalPictures {
        OriginalPictures(in: directory, manifest.split ?? .usual, pictures: source.count)
    }

    /// Adds the latents of the next few images; those that cannot be read are reported.
    private func extend(_ shard: inout LatentShard, _ originals: OriginalPictures, _ foreign: inout [String: Int]) throws(FileError) {
        let range = shard.next(batchImages)
        let pictures = Self.map(range) { Picture(at: $0, in: source, crops, size: description.imageSize) }
        for picture in pictures {
            if let complaint = picture.complaint { console.say("skipped: \(complaint)") }
            if let format = picture.foreignFormat { foreign[format, default: 0] += 1 }
        }
        let squares = pictures.flatMap(\.squares)
        var rows: [Float] = []
        for start in stride(from: 0, to: squares.count, by: batchImages) {
            let latents = vae.encode(PixelBatch(images: Array(squares[start..<min(start + batchImages, squares.count)])).pixels).rows
            guard latents.isFinite else {
                throw FileError(
                    path: vaeDirectory, reason: "\(vaeDirectory) makes NaN or infinite latents of images \(range.lowerBound)…\(range.upperBound - 1)")
            }
            rows += latents.values
        }
        for picture in pictures { if let key = picture.key { try originals.write(picture.squares, of: key) } }
        shard.append(rows, zip(range, pictures).map { ($1.digest, entry(at: $0, $1.key, rows: $1.squares.count)) })
    }

    func entry(at index: Int, _ key: PictureKey?, rows: Int) -> LatentImage {
        let name = source.name(at: index)
        return LatentImage(name: name, key: key, rows: rows, label: labels.label(of: name))
    }

    /// One result for each image of `range`, on all threads.
    static func map<Result>(_ range: Range<Int>, _ body: (Int) -> Result) -> [Result] {
        [Result](unsafeUninitializedCapacity: range.count) { results, count in
            let target = results.baseAddress!
            Workers.forEach(range.count) { (target + $0).initialize(to: body(range.lowerBound + $0)) }
            count = range.count
        }
    }
}

extension LatentExtraction {
    /// One picture on its way into the encoder.
    struct Picture {
        /// Of its file; nil when that cannot be read.
        let digest: FileDigest?
        /// None where it cannot be decoded.
        let squares: [RGBImage]
        /// What is wrong with it.
        let complaint: FileError?
        /// What it is instead of a PNG or JPEG file, where that is known.
        let foreignFormat: String?

        var key: PictureKey? { digest.map(PictureKey.init) }

        init(at index: Int, in source: ImageSource, _ crops: CropPlan, size: Int) {
            var (digest, bytes): (FileDigest?, [UInt8]) = (nil, [])
            do throws(FileError) {
                bytes = try source.bytes(at: index)
                let found = FileDigest(contents: bytes)
                digest = found
                (squares, complaint) = (crops.squares(of: try source.image(at: index, from: bytes), PictureKey(found), size: size), nil)
            } catch {
                (squares, complaint) = ([], error)
            }
            self.digest = digest
            foreignFormat = squares.isEmpty ? ForeignFormat.named(byContents: bytes) : nil
        }
    }
}
