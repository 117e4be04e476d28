import Files
import Fitting
import Jobs
import Networks
import Pictures
import TokenizerCore

/// `revq-train publish`: measures autoencoder and fitted quantiser on images, and lets them appear as a checkpoint that a server loads.
package struct Publication {
    /// Images that travel with the checkpoint and prove that it was loaded right.
    private static let goldenImages = 2

    private let vaeDirectory: String
    private let vae: Autoencoder
    private let fitted: FittedQuantizer
    private let images: SquareImages
    private let most: Int
    /// What the parts were made with, as far as they say so, and those of them that do not.
    private let known: PictureParts?
    private let silent: [String]

    /// - Parameters:
    ///   - vaeDirectory: a folder of the diffusers layout; the one whose latents were fitted.
    ///   - fitDirectory: what `revq-train fit` made.
    ///   - imagesPath: images, as ``ImageSource`` takes them. Those are measured that neither part was trained on or chosen by.
    ///   - most: of them, at most so many.
    /// - Throws: when the parts do not belong together or cannot be read.
    package init(vae vaeDirectory: String, fit fitDirectory: String, imageSize: Int? = nil, images imagesPath: String, most: Int) throws(FileError) {
        let original = try FittedQuantizer(fitDirectory)
        fitted = if let imageSize, imageSize != original.description.imageSize { try original.resized(toImageSize: imageSize) } else { original }
        try fitted.check(belongsTo: vaeDirectory, named: fitDirectory)
        vae = try Autoencoder(directory: vaeDirectory)
        self.vaeDirectory = vaeDirectory
        let source = try ImageSource(imagesPath)
        guard most >= 1 else { throw FileError(path: imagesPath, reason: "--most is at least 1, not \(most)") }
        images = SquareImages(source, size: fitted.description.imageSize)
        self.most = most
        known = try PictureParts.joined([vaeDirectory, fitDirectory])
        silent = [vaeDirectory, fitDirectory].filter { !StoredFile.exists("\($0)/\(PictureParts.fileName)") }
    }

    /// Publishes as `root/name/<next version>`.
    /// - Returns: the new checkpoint's folder.
    /// - Throws: when no image can be read, or the checkpoint cannot be written or does not load.
    package func publish(as name: String, under root: String, console: Console) throws -> String {
        var evaluation = Evaluation(
            vae: vae, normalizer: fitted.normalizer, quantizer: fitted.quantizer, rectifier: fitted.rectifier)
        let index = PictureIndex(images.source, console)
        let places = try unseen(index, console)
        try evaluation.measure(images, places, console)
        console.say(evaluation.summary)
        if let alarm = evaluation.metrics.alarm { console.say(alarm) }
        let golden = places.lazy.compactMap { images.image(at: $0) }.prefix(Self.goldenImages)
        let publisher = CheckpointPublisher(
            name: name, imageSize: fitted.description.imageSize, vaeDirectory: vaeDirectory, vae: vae,
            normalizer: fitted.normalizer, quantizer: fitted.quantizer, rectifier: fitted.rectifier, metrics: evaluation.metrics,
            pictures: known.map { ($0, measured(places, index)) }, goldenImages: Array(golden))
        return try publisher.publish(under: root)
    }

    /// The places of the images to measure.
    /// - Throws: when all were trained on or chosen by.
    private func unseen(_ index: PictureIndex, _ console: Console) throws(FileError) -> [Int] {
        for folder in silent { console.say("\(folder) does not say which pictures it was made with: the figures hold if it knows none of these") }
        let seen = known?.seen ?? []
        let unseen = index.places(besides: seen)
        let count = index.keys.count { $0.map(seen.contains) ?? false }
        guard !unseen.isEmpty else {
            throw FileError(
                path: images.source.path,
                reason: "\(images.source.path) holds no picture to measure on: \(vaeDirectory) or the fit was trained on or chosen by all of them")
        }
        let sample = index.sample(most, of: unseen)
        let kind = measured(sample, index) == .reporting ? "the reporting part of the split" : "which training did not meet"
        console.say(
            "measuring \(Figure.count(sample.count, "picture")) of \(unseen.count)\(known == nil ? "" : ", \(kind)"); "
                + "\(count) of \(index.keys.count) were trained on or chosen by")
        return sample
    }

    private func measured(_ places: [Int], _ index: PictureIndex) -> CheckpointManifest.Pictures.Measured {
        let reporting = Set(known?.reporting ?? [])
        return places.allSatisfy { index.keys[$0].map(reporting.contains) ?? false } ? .reporting : .others
    }
}

extension CheckpointManifest.Metrics {
    /// Noise of this variance in normalised latents is what decoders were found to tolerate. Source: ReVQ (arXiv 2507.10547), 0.3 in its
    /// latents' own units.
    private static let toleratedMSE = 0.062
    /// In dB.
    private static let tolerableLoss = 3.0

    /// A warning, when the latents survive quantisation well and the pictures do not.
    var alarm: String? {
        let loss = vaePSNR - psnr
        guard rectifiedMSE <= Self.toleratedMSE, loss > Self.tolerableLoss else { return nil }
        return "warning: pictures lose \(Figure.text(loss)) dB to the tokens although the latents' error is only \(Figure.text(rectifiedMSE)): "
            + "this decoder does not tolerate it; try --distortion weighted"
    }
}
