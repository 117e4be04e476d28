import Compute
import Files
import Fitting
import Images
import Jobs
import Networks
import Pictures

/// What experiments work on: latents to learn from, latents to measure on, and where images were given, the pictures of the latter.
package struct LatentDomain: Sendable {
    /// Where it comes from.
    package struct Source: Codable, Equatable, Sendable {
        /// The autoencoder's folder.
        package var vae: String
        /// Pictures; nil to work on cached latents alone.
        package var images: String?
        /// What `revq-train extract` filled, or will be filled from ``images``; nil for a folder in the experiment's own.
        package var latents: String?
        /// Side of the squares that images are brought to.
        package var size: Int
        /// The last so many are not learned from but measured on.
        package var heldOut: Int

        package init(vae: String, images: String?, latents: String?, size: Int, heldOut: Int) {
            (self.vae, self.images, self.latents, self.size, self.heldOut) = (vae, images, latents, size, heldOut)
        }
    }

    let vae: Autoencoder
    /// Raw.
    let training, heldOut: Latents
    /// The decoder at ``training``.
    let probe: DecoderProbe
    /// Those of ``heldOut``; empty where only latents were given.
    let originals: [PictureMeter.Original]
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
                to: folder, images: images, vae: source.vae, size: source.size, precision: .float32, console: console)
            guard try extraction.run() else { return nil }
        }
        let store = try LatentStore(folder)
        vae = try store.autoencoder(source.vae)
        guard (1..<store.rows).contains(source.heldOut) else {
            throw FileError(
                path: folder,
                reason:
                    "\(folder) holds \(Figure.count(store.rows, "latent")); \(source.heldOut) held out leave none to learn from, or none to measure on"
            )
        }
        let all = try store.load()
        let split = all.count - source.heldOut
        (training, heldOut) = (all.images(0..<split), all.images(split..<all.count))
        probe = DecoderProbe(vae.decoder, at: training)
        (self.networks, samples) = (networks, SamplePictures(in: "\(directory)/pictures-\(number)"))
        let pictures = try source.images.map { images throws(FileError) in
            try Self.last(source.heldOut, of: SquareImages(ImageSource(images), size: store.imageSize, maximumHeldBytes: 0))
        }
        originals = (pictures ?? []).map { PictureMeter.Original($0, networks) }
        digest = store.identity
        let shape = store.latentShape
        facts = [
            Report.Fact("autoencoder", "\(source.vae), SHA-256 of the weights \(store.manifest.description.vaeWeights.sha256)"),
            Report.Fact(
                "latents", "\(shape.channels)×\(shape.height)×\(shape.width) of \(source.images ?? folder), images of side \(store.imageSize)"),
            Report.Fact("n", "\(Figure.count(split, "image")) to learn from, \(source.heldOut) to measure on"),
        ]
    }

    /// The last `count` readable images, those that the last rows of the latents are of.
    private static func last(_ count: Int, of images: SquareImages) throws(FileError) -> [RGBImage] {
        var pictures: [RGBImage] = []
        for index in (0..<images.count).reversed() where pictures.count < count {
            if let image = images.image(at: index) { pictures.append(image) }
        }
        guard pictures.count == count else {
            throw FileError(
                path: images.source.path, reason: "\(images.source.path) has only \(Figure.count(pictures.count, "image")) to be read now")
        }
        return pictures.reversed()
    }
}
