import Glibc
import TokenizerCore

/// `revq-train extract`: runs every image of a source through a frozen encoder, once, and goes on where it was interrupted.
public struct LatentExtraction {
    /// Images per file.
    private static let shardImages = 512
    /// What a killed process loses at most, besides the images in progress. A save takes some ten milliseconds.
    public static let saveInterval = Duration.seconds(10)
    /// Images that are encoded at once, where the memory allows it.
    private static let mostBatchImages = 8

    private let directory: String
    private let images: SquareImages
    private let vaeDirectory: String
    private let vae: AutoencoderDC
    private let batchImages: Int
    private let description: LatentStore.Description
    private let console: Console

    /// - Parameters:
    ///   - directory: where the latents go; made where it is missing.
    ///   - vae: a folder of the diffusers layout.
    ///   - size: images are brought to squares of this side first.
    /// - Throws: when the images, the autoencoder or the size cannot be used.
    public init(
        to directory: String, images path: String, vae vaeDirectory: String, size: Int, precision: SafetensorsWriter.Precision,
        console: Console
    ) throws(FileError) {
        let source = try ImageSource(path)
        vae = try AutoencoderDC(directory: vaeDirectory)
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
        // Every image is needed once, so none is kept.
        images = SquareImages(source, size: size, maximumHeldBytes: 0)
        (self.directory, self.vaeDirectory, self.console) = (directory, vaeDirectory, console)
        description = LatentStore.Description(
            imagesSignature: String(source.signature, radix: 16), imageCount: source.count, imageSize: size,
            vaeConfiguration: try FileDigest(of: "\(vaeDirectory)/\(AutoencoderDC.configurationName)"),
            vaeWeights: try FileDigest(of: "\(vaeDirectory)/\(AutoencoderDC.weightsName)"),
            latentShape: LatentShape(channels: vae.configuration.latentChannels, height: size / factor, width: size / factor),
            precision: precision)
    }

    /// Extracts what is missing.
    /// - Returns: whether all images are done; false when a stop was requested, which is asked before every batch.
    /// - Throws: when the folder holds other latents, is in use, or cannot be written; what was saved stays.
    public func run(saveEvery interval: Duration = saveInterval, isStopRequested: () -> Bool = { StopSignal.isRequested }) throws(FileError) -> Bool {
        try StoredFolder.create(directory)
        guard let lock = try FileLock(file: "\(directory)/.lock", waits: false) else {
            throw FileError(path: directory, reason: "\(directory) is in use by another extraction")
        }
        defer { withExtendedLifetime(lock) {} }
        var manifest = try openManifest()
        var timer = SaveTimer(every: interval)
        console.begin(total: images.count, start: manifest.coveredImages, unit: "images")
        for start in stride(from: 0, to: images.count, by: Self.shardImages) {
            let range = start..<min(start + Self.shardImages, images.count)
            var shard = try LatentShard(range, number: start / Self.shardImages, of: manifest, in: directory)
            while !shard.isComplete && !isStopRequested() {
                try extend(&shard)
                console.update(done: manifest.coveredImages(besides: shard) + shard.doneImages)
                if shard.isComplete || timer.isDue() { try shard.save(to: &manifest, in: directory) }
            }
            guard shard.isComplete else {
                try shard.save(to: &manifest, in: directory)
                break
            }
        }
        console.closeLine()
        return manifest.coveredImages == images.count
    }

    private var manifestPath: String { "\(directory)/\(LatentStore.manifestName)" }

    /// What is there and whole.
    private func openManifest() throws(FileError) -> LatentStore.Manifest {
        let names = try StoredFolder.names(in: directory)
        var manifest = LatentStore.Manifest(description: description, shards: [])
        if names.contains(LatentStore.manifestName) {
            manifest = try JSONFile.read(LatentStore.Manifest.self, from: manifestPath)
            if let difference = difference(from: manifest.description) {
                throw FileError(path: directory, reason: "\(directory) holds latents of \(difference): choose a new folder")
            }
        } else if !names.allSatisfy({ $0.hasPrefix(".") || LatentShard.isName($0) }) {
            throw FileError(path: directory, reason: "\(directory) is not empty and has no \(LatentStore.manifestName): choose a new folder")
        }
        for damaged in manifest.shards.filter({ (try? FileDigest(of: "\(directory)/\($0.name)")) != $0.digest }) {
            console.say("\(directory)/\(damaged.name) is not the file that was extracted: its \(damaged.imageCount) images are extracted again")
            manifest.shards.removeAll { $0 == damaged }
        }
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

    /// Adds the latents of the next few images; those that cannot be read are reported.
    private func extend(_ shard: inout LatentShard) throws(FileError) {
        let range = shard.next(batchImages)
        let batch = decode(range)
        for complaint in images.takeComplaints() { console.say(complaint) }
        let latents = batch.isEmpty ? nil : description.latentShape.flattened(vae.encoder(PixelBatch(images: batch).pixels))
        guard latents?.isFinite ?? true else {
            throw FileError(path: vaeDirectory, reason: "\(vaeDirectory) makes NaN or infinite latents of images \(range.lowerBound)…\(range.upperBound - 1)")
        }
        shard.append(latents?.values ?? [], images: range.count)
    }

    private func decode(_ range: Range<Int>) -> [RGBImage] {
        var decoded = [RGBImage?](repeating: nil, count: range.count)
        decoded.withUnsafeMutableBufferPointer { decoded in
            let target = decoded.baseAddress!
            Workers.forEach(range.count) { target[$0] = images.image(at: range.lowerBound + $0) }
        }
        return decoded.compactMap { $0 }
    }
}
