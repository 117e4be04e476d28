import TokenizerCore

/// How good a tokenizer is on given images: through its tokens, and through the autoencoder alone, which no quantiser can surpass.
public struct Evaluation {
    /// One image.
    public struct Entry: Sendable, Codable {
        public let name: String
        /// PSNR in dB over RGB, 8 bit.
        public let psnr: Double
        public let vaePSNR: Double
        /// What the lowest block-DCT coefficients give without any learning, see ``BlockDCT``.
        public let dctPSNR: Double
        /// Mean squared error of the normalised latents.
        public let quantizedMSE: Double
        public let rectifiedMSE: Double
    }

    let vae: AutoencoderDC
    let normalizer: LatentNormalizer
    let quantizer: GroupQuantizer
    let rectifier: Rectifier
    let shape: LatentShape
    private var usage: CodeUsage
    public private(set) var entries: [Entry] = []

    init(
        vae: AutoencoderDC, normalizer: LatentNormalizer, quantizer: GroupQuantizer, rectifier: Rectifier, shape: LatentShape
    ) {
        (self.vae, self.normalizer, self.quantizer, self.rectifier, self.shape) = (vae, normalizer, quantizer, rectifier, shape)
        usage = CodeUsage(quantizer.layout)
    }

    public init(_ checkpoint: Checkpoint) {
        self.init(
            vae: checkpoint.vae, normalizer: checkpoint.normalizer, quantizer: checkpoint.quantizer, rectifier: checkpoint.rectifier,
            shape: checkpoint.manifest.latentShape)
    }

    /// Measures images `range` of a source; those that cannot be read are reported and left out.
    /// - Throws: when none can be read.
    public mutating func measure(_ images: SquareImages, _ range: Range<Int>, _ console: Console) throws(FileError) {
        console.begin(total: range.count, unit: "images")
        for index in range {
            if let image = images.image(at: index) { measure(image, name: images.source.name(at: index)) }
            for complaint in images.takeComplaints() { console.say(complaint) }
            console.update(done: index - range.lowerBound + 1)
        }
        console.closeLine()
        guard !entries.isEmpty else { throw FileError(path: images.source.path, reason: "\(images.source.path): none of its images can be read") }
    }

    private mutating func measure(_ image: RGBImage, name: String) {
        let map = vae.encoder(PixelBatch(images: [image]).pixels)
        let z = normalizer.normalize(shape.flattened(map))
        let tokens = quantizer.tokens(z)
        usage.add(tokens)
        let q = quantizer.latents(tokens)
        let rectified = shape.flattened(rectifier(shape.featureMap(q)))
        entries.append(
            Entry(
                name: name, psnr: psnr(normalizer.restore(rectified), image), vaePSNR: psnr(shape.flattened(map), image),
                dctPSNR: PeakSignalToNoise.decibels(BlockDCT.lowestCoefficients(of: image), image),
                quantizedMSE: SquaredError.loss(q, z).value, rectifiedMSE: SquaredError.loss(rectified, z).value))
    }

    private func psnr(_ latents: Tensor, _ image: RGBImage) -> Double {
        PeakSignalToNoise.decibels(PixelBatch(vae.decoder(shape.featureMap(latents))).images()[0], image)
    }

    /// Means over the images measured.
    /// - Precondition: at least one was.
    public var metrics: CheckpointManifest.Metrics {
        func mean(_ value: (Entry) -> Double) -> Double { entries.reduce(0) { $0 + value($1) } / Double(entries.count) }
        return CheckpointManifest.Metrics(
            psnr: mean(\.psnr), vaePSNR: mean(\.vaePSNR), quantizedMSE: mean(\.quantizedMSE), rectifiedMSE: mean(\.rectifiedMSE),
            codebookUse: usage.usedShare, perplexity: usage.perplexity, images: entries.count)
    }

    /// One line for a person.
    public var summary: String {
        let metrics = metrics
        let dct = entries.reduce(0) { $0 + $1.dctPSNR } / Double(entries.count)
        return
            "PSNR \(Figure.text(metrics.psnr)) dB through \(quantizer.layout.tokens) tokens (\(Figure.text(quantizer.layout.bits)) bits), "
            + "\(Figure.text(metrics.vaePSNR)) dB through the autoencoder alone, \(Figure.text(dct)) dB from 8 unquantised DCT coefficients "
            + "per 16×16 block; \(metrics.images) images; \(Int(metrics.codebookUse * 100)) % of codes used, "
            + "perplexity \(Figure.text(metrics.perplexity))"
    }
}
