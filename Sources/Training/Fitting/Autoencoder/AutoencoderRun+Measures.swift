import Compute
import Files
import Images
import Jobs
import Networks
import Pictures
import TokenizerCore

/// Which pictures a run is made with, and what its weights are worth on those that it is not.
extension AutoencoderRun {
    /// Pictures that a measurement on the way looks at, and that the end of training does.
    private static let (mostWatched, mostReported) = (16, 64)

    func places(_ part: Split.Part) -> [Int] { index.places(part, of: options.split) }

    /// Notes down which pictures this run is made with, those of what it starts from included.
    /// - Returns: the same.
    func record() throws(FileError) -> PictureParts {
        var parts = index.parts(options.split)
        if let start = options.start, let known = try PictureParts.joined([start.vae] + (start.fit.map { [$0] } ?? [])) {
            let count = Set(parts.choosing + parts.reporting).intersection(known.seen).count - Set(parts.choosing).intersection(known.choosing).count
            if count > 0 {
                console.say(
                    "warning: what this starts from was made with \(count) of the pictures that are held out here, split \(known.split) there: "
                        + "use one --split for all steps")
            }
            parts.join(known)
        }
        try parts.write(to: directory.path)
        return parts
    }

    /// Measures the averaged weights on the choosing part, and keeps them where they are the best so far: through the channel, if there is one.
    /// - Returns: what was measured; nil where no picture can be read.
    @discardableResult
    func measure(_ trainer: AutoencoderTrainer, _ log: TrainingLog, _ best: inout BestAutoencoder?) throws(FileError) -> BestAutoencoder? {
        let watched = index.sample(Self.mostWatched, of: places(.choosing))
        guard let whole = psnr(watched, { trainer.average($0) }) else { return nil }
        var (figures, text) = (["held_out_psnr": whole.mean], "held-out PSNR \(whole.decibels)")
        let throughChannel = trainer.hasChannel ? psnr(watched, trainer.reconstruction) : nil
        if let throughChannel {
            figures["held_out_channel_psnr"] = throughChannel.mean
            text += ", \(throughChannel.decibels) through the channel"
        }
        var score: Double?
        if trainer.options.loss != nil, let (total, perceptual) = loss(watched, trainer) {
            score = -total
            let named = trainer.loss.named(perceptual)
            figures.merge(named.map { ("held_out_\($0)", $1) }) { own, _ in own }
            figures["held_out_loss"] = total
            text += named.sorted(by: <).map { ", \($0) \(Figure.text($1))" }.joined() + ", loss \(Figure.text(total))"
        }
        try log.append(step: trainer.step, figures)
        try drawSheet(watched, trainer)
        console.say("step \(trainer.step): \(text); choosing part, \(Figure.count(whole.pictures, "picture"))")
        let found = BestAutoencoder(trainer.average, codebooks: trainer.codebooks, step: trainer.step, score: score ?? (throughChannel ?? whole).mean)
        if best.map({ found.score > $0.score }) ?? true { best = found }
        return found
    }

    /// Keeps what the averaged weights make of some pictures, through the channel.
    private func drawSheet(_ watched: [Int], _ trainer: AutoencoderTrainer) throws(FileError) {
        let pictures = watched.lazy.compactMap { images.image(at: $0) }.prefix(PictureSheets.most)
        let sheets = PictureSheets(of: directory.path)
        if trainer.step == 0 { try sheets.write(Array(pictures), step: nil) }
        try sheets.write(pictures.map { PixelBatch(trainer.reconstruction(of: PixelBatch(images: [$0]).pixels)).images()[0] }, step: trainer.step)
    }

    /// Measures the result on pictures that nothing was done with before.
    func report(_ trainer: AutoencoderTrainer, _ log: TrainingLog) throws(FileError) {
        let average = trainer.average
        guard let reported = psnr(index.sample(Self.mostReported, of: places(.reporting)), { average($0) }),
            let learned = psnr(index.sample(Self.mostReported, of: places(.training)), in: options.scale == nil ? lessons : images, { average($0) })
        else { return }
        try log.append(step: trainer.step, ["reporting_psnr": reported.mean, "training_psnr": learned.mean])
        console.say(
            "PSNR \(reported.decibels), reporting part, \(Figure.count(reported.pictures, "picture")); \(learned.decibels) of "
                + "\(learned.pictures) that were trained on; 95 % intervals")
        if let low = reported.low, low > (learned.high ?? learned.mean) {
            console.say(
                "warning: pictures that were not trained on come out better than those that were: they are unlike each other, or too few, and the "
                    + "figure says little about others")
        }
    }

    func sayComplaints() {
        for complaint in lessons.takeComplaints() + images.takeComplaints() { console.say(complaint) }
    }

    /// The mean loss of the choosing part's pictures, through the channel, without adversary; nil where none can be read.
    private func loss(_ places: [Int], _ trainer: AutoencoderTrainer) -> (total: Double, perceptual: [Double])? {
        let pictures = places.compactMap { images.image(at: $0) }.map { PixelBatch(images: [$0]).pixels }
        guard !pictures.isEmpty else { return nil }
        let values = pictures.map { trainer.loss.value(trainer.reconstruction(of: $0), $0) }
        func mean(_ figure: (Int) -> Double) -> Double { values.indices.reduce(0) { $0 + figure($1) } / Double(values.count) }
        return (mean { values[$0].total }, trainer.loss.networks.indices.map { network in mean { values[$0].perceptual[network] } })
    }

    /// The mean over whole images; nil where none can be read.
    private func psnr(_ places: [Int], in pictures: SquareImages? = nil, _ reconstruct: (Tensor) -> Tensor) -> PictureMean? {
        let read = places.compactMap { place in (pictures ?? images).image(at: place).map { (place, $0) } }
        sayComplaints()
        guard !read.isEmpty else { return nil }
        let values = read.map { _, image in
            let drawn = PixelBatch(reconstruct(PixelBatch(images: [image]).pixels)).images()[0]
            return min(PictureFidelity.perfectPSNR, PeakSignalToNoise.decibels(drawn, image))
        }
        return PictureMean(values, of: read.map { index.keys[$0.0] })
    }
}
