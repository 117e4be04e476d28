import Compute
import Files
import Fitting
import Jobs
import Networks
import Pictures
import TokenizerCore

/// What experiments work on: latents to learn from, latents to choose by, latents to report on, and the pictures of the last.
package struct LatentDomain: Sendable {
    /// Where it comes from.
    package struct Source: Codable, Equatable, Sendable {
        /// The autoencoder's folder.
        package var vae: String
        /// Pictures to extract latents from, where they are missing; nil where there are latents.
        package var images: String?
        /// What `revq-train extract` filled, or will be filled from ``images``; nil for a folder in the experiment's own.
        package var latents: String?
        /// Side of the squares that images are brought to.
        package var size: Int
        /// Nil for what the latents say, and ``Split/usual`` where they are extracted.
        package var split: Split?

        package init(vae: String, images: String?, latents: String?, size: Int, split: Split? = nil) {
            (self.vae, self.images, self.latents, self.size, self.split) = (vae, images, latents, size, split)
        }
    }

    let vae: Autoencoder
    /// Raw.
    let training, choosing, reporting: Latents
    /// Of ``reporting``.
    let sources: [PictureKey]
    /// The decoder at ``training``.
    let probe: DecoderProbe
    /// Pictures that rows of ``reporting`` were made from, as many as the latents' folder keeps; may be none.
    let originals: [PictureMeter.Original]
    /// The places of ``originals`` among ``reporting``.
    let pictured: [Int]
    let networks: PerceptualNetworks
    let samples: SamplePictures
    package let digest: FileDigest
    package let facts: [Report.Fact]

    var shape: LatentShape { training.shape }

    /// Extracts latents where they are missing.
    /// - Parameters:
    ///   - directory: of the experiment: for latents, where the source names no folder, and for pictures.
    ///   - number: among the experiment's domains.
    /// - Returns: nil when a stop was requested before all latents were there.
    /// - Throws: when there are too few images, or something cannot be read or does not belong together.
    package init?(
        _ source: Source, in directory: String, number: Int = 0, networks: PerceptualNetworks, console: Console
    ) throws(FileError) {
        guard let folder = source.latents ?? source.images.map({ _ in "\(directory)/latents-\(number)" }) else {
            throw FileError(path: source.vae, reason: "nothing to measure: name --images, --latents or both")
        }
        if let images = source.images {
            let extraction = try LatentExtraction(
                to: folder, images: images, vae: source.vae, size: source.size, precision: .float32, split: source.split, console: console)
            guard try extraction.run() else { return nil }
        }
        let store = try LatentStore(folder)
        vae = try store.autoencoder(source.vae)
        let parts = try store.parts()
        if let warning = store.ageWarning { console.say(warning) }
        let all = try store.load(parts)
        (training, choosing, reporting) = (
            all.images(parts.range(.training)), all.images(parts.range(.choosing)), all.images(parts.range(.reporting))
        )
        let sources = parts.sources(.reporting)
        let kept = store.originals(parts, .reporting)
        probe = DecoderProbe(vae.decoder, at: training)
        (self.networks, self.sources, samples) = (networks, sources, SamplePictures(in: "\(directory)/pictures-\(number)"))
        originals = kept.map { PictureMeter.Original($0.picture, of: sources[$0.place].digits, networks) }
        pictured = kept.map(\.place)
        digest = store.identity
        let shape = store.latentShape
        facts = [
            Report.Fact("autoencoder", "\(source.vae), SHA-256 of the weights \(store.manifest.description.vaeWeights.sha256)"),
            Report.Fact(
                "latents", "\(shape.channels)×\(shape.height)×\(shape.width) of \(source.images ?? folder), images of side \(store.imageSize)"),
            Report.Fact("n", parts.summary),
            Report.Fact(
                "held out",
                "figures are of the reporting part, pictures of \(Figure.count(Set(originals.map(\.source)).count, "original")) of it; what is chosen "
                    + "(penalties) is chosen by the choosing part; intervals are 95 %, by bootstrap over pictures"),
        ]
    }
}
