import TokenizerCore

/// `revq-train publish`: measures autoencoder and fitted quantiser on images, and lets them appear as a checkpoint that a server loads.
public struct Publication {
    /// Images that travel with the checkpoint and prove that it was loaded right.
    private static let goldenImages = 2

    private let vaeDirectory: String
    private let vae: AutoencoderDC
    private let fitted: FittedQuantizer
    private let images: SquareImages
    private let range: Range<Int>

    /// - Parameters:
    ///   - vaeDirectory: a folder of the diffusers layout; the one whose latents were fitted.
    ///   - fitDirectory: what `revq-train fit` made.
    ///   - imagesPath: a folder of images, the last `heldOut` of which are measured.
    /// - Throws: when the parts do not belong together or cannot be read.
    public init(vae vaeDirectory: String, fit fitDirectory: String, images imagesPath: String, heldOut: Int) throws(FileError) {
        fitted = try FittedQuantizer(fitDirectory)
        let weights = "\(vaeDirectory)/\(AutoencoderDC.weightsName)"
        guard try FileDigest(of: weights) == fitted.description.vaeWeights else {
            throw FileError(path: vaeDirectory, reason: "\(fitDirectory) was fitted to the latents of another autoencoder than \(vaeDirectory)")
        }
        vae = try AutoencoderDC(directory: vaeDirectory)
        self.vaeDirectory = vaeDirectory
        let folder = try ImageFolder(imagesPath)
        guard (1...folder.count).contains(heldOut) else {
            throw FileError(path: imagesPath, reason: "\(imagesPath) holds \(folder.count) images; cannot measure on \(heldOut) of them")
        }
        images = SquareImages(folder, size: fitted.description.imageSize)
        range = folder.count - heldOut..<folder.count
    }

    /// Publishes as `root/name/<next step>`.
    /// - Returns: the new checkpoint's folder.
    /// - Throws: when no image can be read, or the checkpoint cannot be written or does not load.
    public func publish(as name: String, under root: String, console: Console) throws -> String {
        let measurement = try measure(console)
        let metrics = measurement.metrics
        console.say(
            "PSNR \(Figure.text(metrics.psnr)) dB through \(fitted.quantizer.layout.tokens) tokens, "
                + "\(Figure.text(metrics.vaePSNR)) dB through the autoencoder alone; \(metrics.images) images; "
                + "\(Int(metrics.codebookUse * 100)) % of codes used, perplexity \(Figure.text(metrics.perplexity))")
        let publisher = CheckpointPublisher(
            name: name, imageSize: fitted.description.imageSize, latentShape: fitted.description.latentShape, vaeDirectory: vaeDirectory,
            normalizer: fitted.normalizer, quantizer: fitted.quantizer, rectifier: fitted.rectifier, metrics: metrics,
            goldenImages: Array(measurement.first.prefix(Self.goldenImages)))
        return try publisher.publish(under: root)
    }

    private func measure(_ console: Console) throws(FileError) -> (metrics: CheckpointManifest.Metrics, first: [RGBImage]) {
        var totals = Totals()
        var usage = CodeUsage(fitted.quantizer.layout)
        var first: [RGBImage] = []
        console.begin(total: range.count, unit: "images")
        for index in range {
            if let image = images.image(at: index) {
                if first.count < Self.goldenImages { first.append(image) }
                totals.add(measure(image, &usage))
            }
            for complaint in images.takeComplaints() { console.say(complaint) }
            console.update(done: index - range.lowerBound + 1)
        }
        console.closeLine()
        guard !first.isEmpty else { throw FileError(path: images.folder.root, reason: "\(images.folder.root): none of its images can be read") }
        return (totals.metrics(usage), first)
    }

    private func measure(_ image: RGBImage, _ usage: inout CodeUsage) -> Totals {
        let shape = fitted.description.latentShape
        let map = vae.encoder(PixelBatch(images: [image]).pixels)
        let z = fitted.normalizer.normalize(shape.flattened(map))
        let tokens = fitted.quantizer.tokens(z)
        usage.add(tokens)
        let q = fitted.quantizer.latents(tokens)
        let rectified = shape.flattened(fitted.rectifier(shape.featureMap(q)))
        return Totals(
            psnr: psnr(fitted.normalizer.restore(rectified), image), vaePSNR: psnr(shape.flattened(map), image),
            quantizedMSE: SquaredError.loss(q, z).value, rectifiedMSE: SquaredError.loss(rectified, z).value, images: 1)
    }

    private func psnr(_ latents: Tensor, _ image: RGBImage) -> Double {
        let pixels = vae.decoder(fitted.description.latentShape.featureMap(latents))
        return PeakSignalToNoise.decibels(PixelBatch(pixels).images()[0], image)
    }

    /// Sums over images.
    private struct Totals {
        var psnr = 0.0
        var vaePSNR = 0.0
        var quantizedMSE = 0.0
        var rectifiedMSE = 0.0
        var images = 0

        mutating func add(_ other: Totals) {
            psnr += other.psnr
            vaePSNR += other.vaePSNR
            quantizedMSE += other.quantizedMSE
            rectifiedMSE += other.rectifiedMSE
            images += other.images
        }

        func metrics(_ usage: CodeUsage) -> CheckpointManifest.Metrics {
            let count = Double(images)
            return CheckpointManifest.Metrics(
                psnr: psnr / count, vaePSNR: vaePSNR / count, quantizedMSE: quantizedMSE / count, rectifiedMSE: rectifiedMSE / count,
                codebookUse: usage.usedShare, perplexity: usage.perplexity, images: images)
        }
    }
}
