import Files
import Images
import Jobs
import Networks
import TokenizerCore

/// How a run ends: the result measured, and written.
extension QuantizerRun {
    func publish(_ session: FitSession, _ design: QuantizerDesign, _ learned: Learned) throws(FileError) {
        let (quality, training, errors) = (session.quality, learned.quality, session.errors(of: parts.sources(.reporting)))
        let bounds = QuantizerBounds(design, latents: learned.sample)
        console.say(
            "held-out MSE, reporting part, \(Figure.count(errors.quantized.pictures, "picture")), 95 % intervals: \(errors.quantized.text()) quantised"
                + "\(errors.rectified == errors.quantized ? "" : ", \(errors.rectified.text()) rectified"); training \(Figure.text(training.quantizedMSE)), "
                + "\(Int(training.codebookUse * 100)) % of codes used, perplexity \(Figure.text(training.perplexity))")
        console.say(
            "held-out distortion \(Figure.text(quality.distortion)), training \(Figure.text(training.distortion)); "
                + "\(bounds?.summary(beside: quality.distortion) ?? "too few images for the bounds")")
        let pictures = vae.map { measure(session, design, $0.decoder) }
        for line in pictures?.summary ?? [] { console.say(line) }
        for alarm in quality.alarms(training: training, errors: errors) { console.say(alarm) }
        let description = FittedQuantizer.Description(
            layout: design.layout, rectifier: options.rectifier, latentShape: store.latentShape, imageSize: store.imageSize,
            vaeWeights: store.manifest.description.vaeWeights, quality: quality, errors: errors, epochs: session.epochs, bounds: bounds,
            pictures: pictures?.own, originals: pictures?.originals)
        try FittedQuantizer(description, design.normalizer, session.quantizer, session.rectifier, pictures: parts.pictures)
            .publish(to: "\(directory.path)/\(Self.resultName)")
    }

    /// Draws held-out latents and measures the pictures; those of the choosing part, too, where there is a rectifier to decide on.
    private func measure(_ session: FitSession, _ design: QuantizerDesign, _ decoder: AnyLayer) -> PictureTrial {
        let draw = { (part: Split.Part) in
            PictureTrial(
                part, of: part == .reporting ? session.reporting : session.choosing, self.parts.sources(part),
                originals: self.store.originals(self.parts, part, most: PictureTrial.most)
            ) { DrawnPictures(of: $0, design.normalizer, session.quantizer, session.rectifier, decoder) }
        }
        var reported = draw(.reporting)
        guard options.rectifier.network != .identity else { return reported }
        let chosen = draw(.choosing)
        let quality = LatentQuality(of: session.choosing, session.quantizer, session.rectifier)
        reported.alarm = chosen.originals?.alarm(quality)
        return reported
    }
}

/// What a result says of the latents that it was learned from, of which each rank has some: all ranks find it together.
struct Learned {
    let quality: LatentQuality
    /// Those that covariances are measured on.
    let sample: Latents

    init(_ session: FitSession) {
        (quality, sample) = (session.trainingQuality, session.trainingSample(QuantizerDesign.measuredImages))
    }
}

/// Pictures of one part, drawn through a finished fit.
private struct PictureTrial {
    let own: PictureQuality
    /// Nil where no original was kept.
    let originals: PictureFidelity?
    var alarm: String?

    /// Squares; more are not worth the time that decoding takes.
    static let most = 128

    /// - Parameters:
    ///   - latents: normalised, the whole part.
    ///   - sources: the pictures that they are of.
    ///   - originals: by their places among them.
    init(
        _ part: Split.Part, of latents: Latents, _ sources: [PictureKey], originals: [(place: Int, picture: RGBImage)],
        _ draw: (Latents) -> DrawnPictures
    ) {
        let drawn = draw(originals.isEmpty ? latents.spread(Self.most) : latents.images(at: originals.map(\.place)))
        own = PictureQuality(drawn)
        self.originals =
            originals.isEmpty
            ? nil : PictureFidelity(part, drawn, originals: originals.map(\.picture), sources: originals.map { sources[$0.place] })
    }

    /// Lines for a person.
    var summary: [String] {
        let missing =
            "the latents' folder has no original pictures to measure against: call extract again with the same options, it keeps the latents"
        return [originals?.summary ?? missing, own.summary, alarm].compactMap { $0 }
    }
}
