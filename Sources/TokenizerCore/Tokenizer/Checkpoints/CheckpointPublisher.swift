import Files
import FoundationEssentials
import Images
import Networks

/// Makes a checkpoint from its parts and lets it appear, whole, in a folder that a server may be serving from.
package struct CheckpointPublisher {
    package let name: String
    package let imageSize: Int
    package let latentShape: LatentShape
    /// A folder of the diffusers layout.
    package let vaeDirectory: String
    package let normalizer: LatentNormalizer
    package let quantizer: GroupQuantizer
    package let rectifier: Rectifier
    package let metrics: CheckpointManifest.Metrics
    /// Square pictures of ``imageSize``; at least one.
    package let goldenImages: [RGBImage]

    package init(
        name: String, imageSize: Int, latentShape: LatentShape, vaeDirectory: String, normalizer: LatentNormalizer, quantizer: GroupQuantizer,
        rectifier: Rectifier, metrics: CheckpointManifest.Metrics, goldenImages: [RGBImage]
    ) {
        precondition(!goldenImages.isEmpty, "a checkpoint carries at least one golden image")
        (self.name, self.imageSize, self.latentShape, self.vaeDirectory) = (name, imageSize, latentShape, vaeDirectory)
        (self.normalizer, self.quantizer, self.rectifier) = (normalizer, quantizer, rectifier)
        (self.metrics, self.goldenImages) = (metrics, goldenImages)
    }

    /// Publishes as `root/name/step`, where step is one more than the newest there, and the autoencoder beside it unless an
    /// earlier checkpoint brought the same one.
    ///
    /// Everything is written under a hidden name, flushed, checked by loading it, and renamed: a reader sees all of it or nothing.
    /// - Returns: the directory that appeared.
    package func publish(under root: String) throws -> String {
        let model = "\(root)/\(name)"
        try StoredFolder.create(model)
        let step = 1 + (try StoredFolder.names(in: model).compactMap { Int($0) }.max() ?? 0)
        let vae = CheckpointManifest.VAE(
            configuration: try FileDigest(of: "\(vaeDirectory)/\(AutoencoderDC.configurationName)"),
            weights: try FileDigest(of: "\(vaeDirectory)/\(AutoencoderDC.weightsName)"))
        try shareVAE(vae, in: model)

        let directory = "\(model)/\(Self.padded(step))"
        let staged = try StagedFolder(for: directory)
        let files = try write(into: staged.path, vae, step: step)
        let manifest = manifest(step: step, vae: vae, files: files)
        try StoredFile.write(manifest.serialized(), to: "\(staged.path)/\(CheckpointManifest.fileName)")
        _ = try VisualTokenizer.load(from: staged.path)
        try staged.publish()
        return directory
    }

    /// Names sort like the numbers they are.
    private static func padded(_ step: Int) -> String {
        let digits = String(step)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private func shareVAE(_ vae: CheckpointManifest.VAE, in model: String) throws {
        let target = "\(model)/\(vae.sharedDirectoryName)"
        guard !StoredFolder.exists(target) else { return }
        let staged = try StagedFolder(for: target)
        for name in [AutoencoderDC.configurationName, AutoencoderDC.weightsName] {
            try StoredFile.write(StoredFile.read("\(vaeDirectory)/\(name)", maximumBytes: 1 << 34), to: "\(staged.path)/\(name)")
        }
        try staged.publish()
    }

    /// Writes weights and golden images; returns their digests.
    private func write(into directory: String, _ vae: CheckpointManifest.VAE, step: Int) throws -> [String: FileDigest] {
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
            manifest(step: step, vae: vae, files: [:]), vae: try AutoencoderDC(directory: vaeDirectory), normalizer: normalizer,
            quantizer: quantizer, rectifier: rectifier)
        let golden = try goldenImages.enumerated().map { index, picture in
            let file = "golden-\(index).png"
            try StoredFile.write(PNGEncoder.encode(picture), to: "\(directory)/\(file)")
            names.append(file)
            let tokens = draft.encode(PixelBatch(images: [picture]))
            let psnr = PeakSignalToNoise.decibels(draft.decode(tokens).images()[0], picture)
            return GoldenImage(file: file, tokens: tokens.indices, psnrFloor: psnr - GoldenImage.psnrMargin)
        }
        try StoredFile.write(Array(try JSONEncoder().encode(golden)), to: "\(directory)/\(GoldenImage.listName)")
        var files: [String: FileDigest] = [:]
        for name in names { files[name] = try FileDigest(of: "\(directory)/\(name)") }
        return files
    }

    private func manifest(step: Int, vae: CheckpointManifest.VAE, files: [String: FileDigest]) -> CheckpointManifest {
        CheckpointManifest(
            name: name, step: step, imageSize: imageSize, latentShape: latentShape, quantizer: quantizer.layout,
            rectifier: rectifier.configuration, vae: vae, files: files, metrics: metrics)
    }
}
