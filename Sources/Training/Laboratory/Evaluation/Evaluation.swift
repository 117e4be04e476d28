import Compute
import Files
import Fitting
import Images
import Jobs
import Networks
import Pictures
import TokenizerCore

/// How good a tokenizer is on given images: through its tokens, and through the autoencoder alone, which no quantiser can surpass.
package struct Evaluation {
    /// One image.
    package struct Entry: Sendable, Codable {
        package let name: String
        /// Its place among the images that were given.
        let index: Int
        /// Through tokens, rectifier and decoder.
        package let tokens: PictureDifference
        /// Through encoder and decoder alone.
        package let vae: PictureDifference
        /// What the lowest block-DCT coefficients give without any learning, in dB, see ``BlockDCT``.
        package let dctPSNR: Double
        /// Mean squared error of the normalised latents.
        package let quantizedMSE: Double
        package let rectifiedMSE: Double
    }

    /// All that is known about one image once it was measured: every figure of an evaluation follows from these.
    struct Measurement: Codable, Sendable {
        let entry: Entry
        let tokens, vae: PictureMeter.Reading
        let codes: [Int32]
        /// SHA-256 of the cropped image.
        let digest: String
    }

    /// What a picture becomes.
    struct Drawing {
        let tokens, vae: RGBImage
        let quantizedMSE, rectifiedMSE: Double
        let indices: Tokens
    }

    let vae: Autoencoder
    let normalizer: LatentNormalizer
    let quantizer: GroupQuantizer
    let rectifier: Rectifier
    private let networks: PerceptualNetworks
    private var usage: CodeUsage
    private var meters: (tokens: PictureMeter, vae: PictureMeter)
    /// SHA-256 of each cropped image that was measured.
    private var digests: [String] = []
    /// The first images, which ``DCTBaseline`` is measured on.
    private(set) var baselinePictures: [RGBImage] = []
    package private(set) var entries: [Entry] = []

    init(
        vae: Autoencoder, normalizer: LatentNormalizer, quantizer: GroupQuantizer, rectifier: Rectifier,
        networks: PerceptualNetworks = .none
    ) {
        (self.vae, self.normalizer, self.quantizer, self.rectifier) = (vae, normalizer, quantizer, rectifier)
        self.networks = networks
        meters = (PictureMeter(networks), PictureMeter(networks))
        usage = CodeUsage(quantizer.layout)
    }

    package init(_ checkpoint: Checkpoint, networks: PerceptualNetworks = .none) {
        self.init(
            vae: checkpoint.vae, normalizer: checkpoint.normalizer, quantizer: checkpoint.quantizer, rectifier: checkpoint.rectifier,
            networks: networks)
    }

    /// Measures images of a source; those that cannot be read are reported and left out.
    ///
    /// - Parameter places: theirs among all, in order.
    /// - Parameter journal: has what an earlier call measured, and receives the rest.
    /// - Returns: whether all were measured; false when a stop was requested, which is asked before each.
    /// - Throws: when none can be read, or the journal cannot be written.
    @discardableResult
    package mutating func measure(
        _ images: SquareImages, _ places: some Collection<Int>, _ console: Console, journal: EvaluationJournal? = nil,
        isStopRequested: () -> Bool = { StopSignal.isRequested }
    ) throws(FileError) -> Bool {
        let known = journal?.takeMeasurements() ?? []
        guard arePossible(known, in: Set(places)) else {
            throw FileError(path: journal!.path, reason: "\(journal!.path) is damaged: remove it to begin anew")
        }
        for measurement in known { add(measurement, images.image(at:)) }
        let rest = places.filter { index in known.last.map { index > $0.entry.index } ?? true }
        let before = places.count - rest.count
        console.begin(total: places.count, start: before, unit: "image")
        for (done, index) in rest.enumerated() {
            if isStopRequested() { return false }
            if let image = images.image(at: index) {
                let measurement = measurement(of: image, name: images.source.name(at: index), index)
                try journal?.append(measurement)
                add(measurement) { _ in image }
            }
            for complaint in images.takeComplaints() { console.say(complaint) }
            console.update(done: before + done + 1)
        }
        console.closeLine()
        guard !entries.isEmpty else { throw FileError(path: images.source.path, reason: "\(images.source.path): none of its images can be read") }
        return true
    }

    /// Whether these can have been measured here.
    private func arePossible(_ measurements: [Measurement], in places: Set<Int>) -> Bool {
        let (tokens, codes) = (quantizer.layout.tokens, Int32(quantizer.layout.codes))
        let inception = networks.inception == nil ? 0 : InceptionNetwork.features
        let classified = networks.classifier == nil ? 0 : EfficientNetLite.features
        let indices = measurements.map(\.entry.index)
        return indices.allSatisfy(places.contains) && zip(indices, indices.dropFirst()).allSatisfy(<)
            && measurements.allSatisfy { measurement in
                measurement.codes.count == tokens && measurement.codes.allSatisfy { (0..<codes).contains($0) }
                    && [measurement.tokens, measurement.vae].allSatisfy { $0.inception.areOf(inception) && $0.classified.areOf(classified) }
            }
    }

    private func measurement(of image: RGBImage, name: String, _ index: Int) -> Measurement {
        let (drawing, original) = (draw(image), PictureMeter.Original(image, of: name, networks))
        let (tokens, vae) = (meters.tokens.read(drawing.tokens, original), meters.vae.read(drawing.vae, original))
        let entry = Entry(
            name: name, index: index, tokens: tokens.difference, vae: vae.difference,
            dctPSNR: min(PictureDifference.perfectPSNR, PeakSignalToNoise.decibels(BlockDCT.lowestCoefficients(of: image), image)),
            quantizedMSE: drawing.quantizedMSE, rectifiedMSE: drawing.rectifiedMSE)
        return Measurement(
            entry: entry, tokens: tokens, vae: vae, codes: drawing.indices.indices, digest: FileDigest(contents: image.pixels).sha256)
    }

    /// - Parameter image: the picture, for the first ones.
    private mutating func add(_ measurement: Measurement, _ image: (Int) -> RGBImage?) {
        usage.add(Tokens(tokensPerImage: quantizer.layout.tokens, indices: measurement.codes))
        digests.append(measurement.digest)
        meters.tokens.add(measurement.tokens, of: measurement.digest)
        meters.vae.add(measurement.vae, of: measurement.digest)
        entries.append(measurement.entry)
        guard baselinePictures.count < DCTBaseline.mostImages, let picture = image(measurement.entry.index) else { return }
        baselinePictures.append(picture)
    }

    func draw(_ image: RGBImage) -> Drawing {
        let latents = vae.encode(PixelBatch(images: [image]).pixels)
        let z = normalizer.normalize(latents)
        let tokens = quantizer.tokens(z)
        let q = quantizer.latents(tokens)
        let rectified = rectifier(q)
        return Drawing(
            tokens: picture(normalizer.restore(rectified)), vae: picture(latents), quantizedMSE: SquaredError.loss(q.map, z.map).value,
            rectifiedMSE: SquaredError.loss(rectified.map, z.map).value, indices: tokens)
    }

    private func picture(_ latents: Latents) -> RGBImage {
        PixelBatch(vae.decode(latents)).images()[0]
    }

    /// How good the pictures are, through the tokens and through the autoencoder alone.
    /// - Precondition: at least one was measured.
    package var figures: (tokens: PictureFigures, vae: PictureFigures) { (meters.tokens.figures, meters.vae.figures) }

    /// Identifies the cropped images that were measured, in their order.
    package var referenceHash: String { FileDigest(contents: Array(digests.joined().utf8)).sha256 }

    /// Means over the images measured.
    /// - Precondition: at least one was.
    package var metrics: CheckpointManifest.Metrics {
        func mean(_ value: (Entry) -> Double) -> Double { entries.reduce(0) { $0 + value($1) } / Double(entries.count) }
        func interval(_ value: (Entry) -> Double) -> PictureMean { PictureMean(entries.map(value), of: digests) }
        let intervals = CheckpointManifest.Intervals(
            psnr: interval(\.tokens.psnr), vaePSNR: interval(\.vae.psnr), quantizedMSE: interval(\.quantizedMSE),
            rectifiedMSE: interval(\.rectifiedMSE))
        return CheckpointManifest.Metrics(
            psnr: mean(\.tokens.psnr), vaePSNR: mean(\.vae.psnr), quantizedMSE: mean(\.quantizedMSE), rectifiedMSE: mean(\.rectifiedMSE),
            codebookUse: usage.usedShare, perplexity: usage.perplexity, images: entries.count,
            intervals: intervals)
    }

    /// How different the pictures look, where a network was given that says so.
    private var perceptualSummary: String {
        let values = entries.compactMap(\.tokens.lpips)
        guard let network = networks.lpips, values.count == entries.count else { return "" }
        let mean = PictureMean(values, of: digests)
        let interval = mean.low.map { " [\(Figure.decimals($0, 3)), \(Figure.decimals(mean.high ?? mean.mean, 3))]" } ?? ""
        return ", \(network.trunk.title) \(Figure.decimals(mean.mean, 3))\(interval) through the tokens"
    }

    /// How different the pictures are as a set, where a classifier was given.
    private var classifierSummary: String { figures.tokens.classified.map { ", \($0.text)" } ?? "" }

    /// One line for a person.
    package var summary: String {
        let metrics = metrics
        let (through, alone) = (PictureMean(entries.map(\.tokens.psnr), of: digests), PictureMean(entries.map(\.vae.psnr), of: digests))
        let dct = entries.reduce(0) { $0 + $1.dctPSNR } / Double(entries.count)
        return
            "PSNR \(through.decibels) through \(quantizer.layout.tokens) tokens (\(Figure.text(quantizer.layout.bits)) bits), "
            + "\(alone.decibels) through the autoencoder alone\(perceptualSummary)\(classifierSummary), \(Figure.decimals(dct, 2)) dB from 8 unquantised DCT coefficients "
            + "per 16×16 block; \(Figure.count(metrics.images, "image")), 95 % intervals; \(Int(metrics.codebookUse * 100)) % of codes used, "
            + "perplexity \(Figure.text(metrics.perplexity))"
    }
}
