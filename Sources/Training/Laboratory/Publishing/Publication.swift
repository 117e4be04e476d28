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
    private let range: Range<Int>

    /// - Parameters:
    ///   - vaeDirectory: a folder of the diffusers layout; the one whose latents were fitted.
    ///   - fitDirectory: what `revq-train fit` made.
    ///   - imagesPath: images, as ``ImageSource`` takes them, the last `heldOut` of which are measured.
    /// - Throws: when the parts do not belong together or cannot be read.
    package init(vae vaeDirectory: String, fit fitDirectory: String, imageSize: Int? = nil, images imagesPath: String, heldOut: Int) throws(FileError)
    {
        let original = try FittedQuantizer(fitDirectory)
        fitted = if let imageSize, imageSize != original.description.imageSize { try original.resized(toImageSize: imageSize) } else { original }
        try fitted.check(belongsTo: vaeDirectory, named: fitDirectory)
        vae = try Autoencoder(directory: vaeDirectory)
        self.vaeDirectory = vaeDirectory
        let source = try ImageSource(imagesPath)
        guard (1...source.count).contains(heldOut) else {
            throw FileError(
                path: imagesPath, reason: "\(imagesPath) holds \(Figure.count(source.count, "image")); cannot measure on \(heldOut) of them")
        }
        images = SquareImages(source, size: fitted.description.imageSize)
        range = source.count - heldOut..<source.count
    }

    /// Publishes as `root/name/<next version>`.
    /// - Returns: the new checkpoint's folder.
    /// - Throws: when no image can be read, or the checkpoint cannot be written or does not load.
    package func publish(as name: String, under root: String, console: Console) throws -> String {
        var evaluation = Evaluation(
            vae: vae, normalizer: fitted.normalizer, quantizer: fitted.quantizer, rectifier: fitted.rectifier)
        try evaluation.measure(images, range, console)
        console.say(evaluation.summary)
        if let alarm = evaluation.metrics.alarm { console.say(alarm) }
        let golden = range.lazy.compactMap { images.image(at: $0) }.prefix(Self.goldenImages)
        let publisher = CheckpointPublisher(
            name: name, imageSize: fitted.description.imageSize, vaeDirectory: vaeDirectory, vae: vae,
            normalizer: fitted.normalizer, quantizer: fitted.quantizer, rectifier: fitted.rectifier, metrics: evaluation.metrics,
            goldenImages: Array(golden))
        return try publisher.publish(under: root)
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
