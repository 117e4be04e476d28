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

    let vae: AutoencoderDC
    let shape: LatentShape
    /// Raw, `[n, C·H·W]`.
    let training, heldOut: Tensor
    /// The decoder at ``training``.
    let probe: DecoderProbe
    /// Those of ``heldOut``; empty where only latents were given.
    let originals: [PictureMeter.Original]
    let networks: PerceptualNetworks
    private let samples: SamplePictures
    package let digest: FileDigest
    package let facts: [Report.Fact]

    private static let batch = 8

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
            throw FileError(path: folder, reason: "\(folder) holds \(store.rows) latents; \(source.heldOut) held out leave none to learn from, or none to measure on")
        }
        let all = try store.load()
        let split = all.n - source.heldOut
        (training, heldOut, shape) = (all.images(0..<split), all.images(split..<all.n), store.latentShape)
        probe = DecoderProbe(vae.decoder, at: training)
        (self.networks, samples) = (networks, SamplePictures(in: "\(directory)/pictures-\(number)"))
        let pictures = try source.images.map { images throws(FileError) in
            try Self.last(source.heldOut, of: SquareImages(ImageSource(images), size: store.imageSize, maximumHeldBytes: 0))
        }
        originals = (pictures ?? []).map { PictureMeter.Original($0, networks) }
        digest = store.identity
        facts = [
            Report.Fact("autoencoder", "\(source.vae), SHA-256 of the weights \(store.manifest.description.vaeWeights.sha256)"),
            Report.Fact("latents", "\(shape.channels)×\(shape.height)×\(shape.width) of \(source.images ?? folder), images of side \(store.imageSize)"),
            Report.Fact("n", "\(split) images to learn from, \(source.heldOut) to measure on"),
        ]
    }

    /// The last `count` readable images, those that the last rows of the latents are of.
    private static func last(_ count: Int, of images: SquareImages) throws(FileError) -> [RGBImage] {
        var pictures: [RGBImage] = []
        for index in (0..<images.count).reversed() where pictures.count < count {
            if let image = images.image(at: index) { pictures.append(image) }
        }
        guard pictures.count == count else {
            throw FileError(path: images.source.path, reason: "\(images.source.path) has only \(pictures.count) images that can be read now")
        }
        return pictures.reversed()
    }

    /// How good the decoder's pictures of changed held-out latents are; nil without pictures.
    /// - Parameter latents: raw, as many as ``heldOut``.
    func pictures(of latents: Tensor) -> PictureFigures? {
        guard !originals.isEmpty else { return nil }
        var meter = PictureMeter(networks)
        for start in stride(from: 0, to: latents.n, by: Self.batch) {
            let range = start..<min(start + Self.batch, latents.n)
            let drawn = PixelBatch(vae.decoder(shape.featureMap(latents.images(range)))).images()
            for (picture, original) in zip(drawn, originals[range]) { meter.add(picture, original) }
        }
        return meter.figures
    }

    /// Keeps the first held-out pictures, drawn from the latents that a cell makes of the held-out ones, for ``grid(_:of:)``. Nothing where
    /// there are no originals to show beside them.
    /// - Parameter latents: raw, as many as ``heldOut``.
    func keepSample(of latents: Tensor, _ cell: some CustomStringConvertible) throws(ExperimentError) {
        guard !originals.isEmpty else { return }
        let first = latents.images(0..<min(SamplePictures.count, latents.n))
        do {
            try samples.keep(PixelBatch(vae.decoder(shape.featureMap(first))).images(), of: "\(cell)")
        } catch {
            throw ExperimentError(error.reason)
        }
    }

    /// Original, autoencoder alone, and what was kept of each of the cells; nil without pictures.
    func grid<Cell: CustomStringConvertible>(_ caption: String, of cells: [(name: String, cell: Cell)]) -> ImageGrid? {
        let shown = cells.compactMap { cell in samples.pictures(of: "\(cell.cell)").map { (cell.name, $0) } }
        guard !originals.isEmpty, let count = shown.map(\.1.count).min() else { return nil }
        let own = PixelBatch(vae.decoder(shape.featureMap(heldOut.images(0..<count)))).images()
        let rows = (0..<count).map { index in
            ImageGrid.Row("held-out image \(index + 1)", [originals[index].image, own[index]] + shown.map { $0.1[index] })
        }
        return ImageGrid(caption, columns: ["original", "autoencoder alone"] + shown.map(\.0), rows: rows)
    }

    /// Original, autoencoder alone, and each of the treatments, for the first few held-out pictures; nil without pictures.
    /// - Parameter treatments: raw latents under their names.
    func grid(_ caption: String, _ treatments: [(name: String, latents: Tensor)], rows count: Int = 4) -> ImageGrid? {
        guard !originals.isEmpty else { return nil }
        let shown = [("autoencoder alone", heldOut)] + treatments.map { ($0.name, $0.latents) }
        let rows = (0..<min(count, originals.count)).map { index in
            let drawn = shown.map { PixelBatch(vae.decoder(shape.featureMap($0.1.images(index..<index + 1)))).images()[0] }
            return ImageGrid.Row("held-out image \(index + 1)", [originals[index].image] + drawn)
        }
        return ImageGrid(caption, columns: ["original"] + shown.map(\.0), rows: rows)
    }
}
