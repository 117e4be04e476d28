import Files
import FoundationEssentials
import Images
import Networks

/// Makes a checkpoint from its parts and lets it appear, whole, in a folder that a server may be serving from.
package struct CheckpointPublisher {
    package let name: String
    package let specification: TokenizerSpecification
    /// A folder of the diffusers layout.
    package let vaeDirectory: String
    /// What lies in it.
    package let vae: Autoencoder
    package let normalizer: LatentNormalizer
    package let quantizer: GroupQuantizer
    package let rectifier: Rectifier
    package let metrics: CheckpointManifest.Metrics
    /// What the parts were made with, and whether ``metrics`` were measured on the reporting part of it; nil where that is not known.
    package let pictures: (parts: PictureParts, measured: CheckpointManifest.Pictures.Measured)?
    /// Square pictures of the image size; at least one.
    package let goldenImages: [RGBImage]

    package init(
        name: String, imageSize: Int, vaeDirectory: String, vae: Autoencoder, normalizer: LatentNormalizer, quantizer: GroupQuantizer,
        rectifier: Rectifier, metrics: CheckpointManifest.Metrics,
        pictures: (parts: PictureParts, measured: CheckpointManifest.Pictures.Measured)? = nil, goldenImages: [RGBImage]
    ) {
        precondition(!goldenImages.isEmpty, "a checkpoint carries at least one golden image")
        specification = TokenizerSpecification(imageSize: imageSize, quantizer, rectifier)
        (self.name, self.vaeDirectory, self.vae) = (name, vaeDirectory, vae)
        (self.normalizer, self.quantizer, self.rectifier) = (normalizer, quantizer, rectifier)
        (self.metrics, self.pictures, self.goldenImages) = (metrics, pictures, goldenImages)
    }

    /// Publishes as `root/name/version`, where the version is one more than the newest there, and the autoencoder beside it unless an
    /// earlier checkpoint brought the same one.
    ///
    /// Everything is written under a hidden name, flushed, checked by loading it, and renamed: a reader sees all of it or nothing.
    /// - Returns: the directory that appeared.
    package func publish(under root: String) throws -> String {
        let model = "\(root)/\(name)"
        try StoredFolder.create(model)
        let version = 1 + (try StoredFolder.names(in: model).compactMap { Int($0) }.max() ?? 0)
        let vaeFiles = CheckpointManifest.VAE(
            configuration: try FileDigest(of: "\(vaeDirectory)/\(Autoencoder.configurationName)"),
            weights: try FileDigest(of: "\(vaeDirectory)/\(Autoencoder.weightsName)"))
        try shareVAE(vaeFiles, in: model)

        let directory = "\(model)/\(Self.padded(version))"
        let staged = try StagedFolder(for: directory)
        let manifest = CheckpointManifest(
            name: name, version: version, specification: specification, vae: vaeFiles, files: try write(into: staged.path), metrics: metrics,
            pictures: try writePictures(into: staged.path))
        try StoredFile.write(manifest.serialized(), to: "\(staged.path)/\(CheckpointManifest.fileName)")
        _ = try VisualTokenizer.load(from: staged.path)
        try staged.publish()
        return directory
    }

    /// Names sort like the numbers they are.
    private static func padded(_ version: Int) -> String {
        let digits = String(version)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private func shareVAE(_ files: CheckpointManifest.VAE, in model: String) throws {
        let target = "\(model)/\(files.sharedDirectoryName)"
        guard !StoredFolder.exists(target) else { return }
        let staged = try StagedFolder(for: target)
        for name in [Autoencoder.configurationName, Autoencoder.weightsName] {
            try StoredFile.write(StoredFile.read("\(vaeDirectory)/\(name)", maximumBytes: 1 << 34), to: "\(staged.path)/\(name)")
        }
        try staged.publish()
    }

    private func writePictures(into directory: String) throws(FileError) -> CheckpointManifest.Pictures? {
        guard let pictures else { return nil }
        try pictures.parts.write(to: directory)
        return .init(
            pictures.parts, measured: pictures.measured, record: try FileDigest(of: "\(directory)/\(PictureParts.fileName)"))
    }

    /// Writes weights and golden images; returns their digests.
    private func write(into directory: String) throws -> [String: FileDigest] {
        let named = { (prefix: String, part: any Parameterized) in
            part.tensors.map { (name: "\(prefix).\($0.path)", tensor: $0.tensor) }
        }
        try SafetensorsWriter.write(
            named("normalizer", normalizer) + named("quantizer", quantizer), to: "\(directory)/\(Checkpoint.quantizerName)")
        var names = [Checkpoint.quantizerName, GoldenImage.listName]
        if rectifier.configuration.network != .identity {
            try rectifier.save(to: "\(directory)/\(Checkpoint.rectifierName)")
            names.append(Checkpoint.rectifierName)
        }
        let draft = try VisualTokenizer(
            specification, vae: vae, normalizer: normalizer, quantizer: quantizer, rectifier: rectifier)
        let golden = try goldenImages.enumerated().map { index, picture in
            let file = "golden-\(index).png"
            try StoredFile.write(PNGEncoder.encode(picture), to: "\(directory)/\(file)")
            names.append(file)
            let tokens = draft.encode(PixelBatch(images: [picture]))
            let psnr = PeakSignalToNoise.decibels(draft.draw(tokens).images()[0], picture)
            return GoldenImage(file: file, tokens: tokens.indices, psnrFloor: psnr - GoldenImage.psnrMargin)
        }
        try StoredFile.write(Array(try JSONEncoder().encode(golden)), to: "\(directory)/\(GoldenImage.listName)")
        var files: [String: FileDigest] = [:]
        for name in names { files[name] = try FileDigest(of: "\(directory)/\(name)") }
        return files
    }
}
