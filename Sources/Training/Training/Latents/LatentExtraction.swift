import Glibc
import TokenizerCore

/// `revq-train extract`: runs every image of a folder through a frozen encoder, once, and goes on where it was interrupted.
public struct LatentExtraction {
    /// Images per file: what an interruption can cost.
    private static let shardImages = 512
    /// Images that are encoded at once.
    private static let batchImages = 8

    private let directory: String
    private let images: SquareImages
    private let vae: AutoencoderDC
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
        // Every image is needed once, so none is kept.
        images = SquareImages(source, size: size, maximumHeldBytes: 0)
        self.directory = directory
        self.console = console
        description = LatentStore.Description(
            imagesSignature: String(source.signature, radix: 16), imageCount: source.count, imageSize: size,
            vaeConfiguration: try FileDigest(of: "\(vaeDirectory)/\(AutoencoderDC.configurationName)"),
            vaeWeights: try FileDigest(of: "\(vaeDirectory)/\(AutoencoderDC.weightsName)"),
            latentShape: LatentShape(channels: vae.configuration.latentChannels, height: size / factor, width: size / factor),
            precision: precision)
    }

    /// Extracts what is missing.
    /// - Returns: whether all images are done; false when a stop was requested.
    /// - Throws: when the folder holds other latents, or cannot be written.
    public func run(isStopRequested: () -> Bool = { StopSignal.isRequested }) throws(FileError) -> Bool {
        var manifest = try openManifest()
        console.begin(total: images.count, start: manifest.coveredImages, unit: "images")
        while manifest.coveredImages < images.count && !isStopRequested() {
            let first = manifest.coveredImages
            let range = first..<min(first + Self.shardImages, images.count)
            guard let shard = try extract(range, number: manifest.shards.count, isStopRequested) else { break }
            manifest.shards.append(shard)
            try StoredFile.write(JSONFile.bytes(manifest), to: manifestPath)
        }
        console.closeLine()
        return manifest.coveredImages == images.count
    }

    private var manifestPath: String { "\(directory)/\(LatentStore.manifestName)" }

    private func openManifest() throws(FileError) -> LatentStore.Manifest {
        try StoredFolder.create(directory)
        guard access(manifestPath, F_OK) == 0 else {
            guard try StoredFolder.names(in: directory).allSatisfy({ $0.hasPrefix(".") || $0.hasPrefix("latents-") }) else {
                throw FileError(path: directory, reason: "\(directory) is not empty and has no \(LatentStore.manifestName): choose a new folder")
            }
            return LatentStore.Manifest(description: description, shards: [])
        }
        let found = try JSONFile.read(LatentStore.Manifest.self, from: manifestPath)
        if let difference = difference(from: found.description) {
            throw FileError(path: directory, reason: "\(directory) holds latents of \(difference): choose a new folder")
        }
        return found
    }

    private func difference(from found: LatentStore.Description) -> String? {
        if found.vaeWeights != description.vaeWeights || found.vaeConfiguration != description.vaeConfiguration { return "another autoencoder" }
        if found.imageSize != description.imageSize { return "images of side \(found.imageSize), not \(description.imageSize)" }
        if found.imagesSignature != description.imagesSignature { return "other images, or the folder of images has changed" }
        if found.precision != description.precision { return "precision \(found.precision.rawValue), not \(description.precision.rawValue)" }
        return nil
    }

    /// Writes one file, or returns nil when a stop was requested before it was full.
    private func extract(_ range: Range<Int>, number: Int, _ isStopRequested: () -> Bool) throws(FileError) -> LatentStore.Shard? {
        let width = description.latentShape.count
        var latents: [Float] = []
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.batchImages) {
            if isStopRequested() { return nil }
            let end = min(start + Self.batchImages, range.upperBound)
            let batch = decode(start..<end)
            for complaint in images.takeComplaints() { console.say(complaint) }
            if !batch.isEmpty { latents += description.latentShape.flattened(vae.encoder(PixelBatch(images: batch).pixels)).values }
            console.update(done: end)
        }
        let rows = latents.count / width
        let digits = String(number)
        let name = "latents-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).safetensors"
        let path = "\(directory)/\(name)"
        try SafetensorsWriter.write(
            [(LatentStore.tensorName, Tensor(latents, shape: [rows, width]))], precision: description.precision, to: path)
        return LatentStore.Shard(
            name: name, firstImage: range.lowerBound, imageCount: range.count, rows: rows, digest: try FileDigest(of: path))
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
