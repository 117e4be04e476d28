import Compute
import Files
import Fitting
import Images
import Networks
import TokenizerCore

extension LatentDomain {
    private static let batch = 8

    /// How good the decoder's pictures of changed latents of the reporting part are; nil without pictures.
    /// - Parameter latents: raw, as many as ``reporting``.
    func pictures(of latents: Latents) -> PictureFigures? { figures(of: draw(latents)) }

    /// The decoder's pictures of those of the latents that there are originals of.
    /// - Parameter latents: raw, as many as ``reporting``.
    func draw(_ latents: Latents) -> [RGBImage] {
        stride(from: 0, to: pictured.count, by: Self.batch).flatMap { start in
            PixelBatch(vae.decode(latents.images(at: pictured[start..<min(start + Self.batch, pictured.count)]))).images()
        }
    }

    /// How good drawn pictures are; nil where there are none.
    /// - Parameter drawn: as many as ``originals``.
    func figures(of drawn: [RGBImage]) -> PictureFigures? {
        guard !originals.isEmpty else { return nil }
        var meter = PictureMeter(networks)
        for (picture, original) in zip(drawn, originals) { meter.add(picture, original) }
        return meter.figures
    }

    /// What pictures add to the PSNR of others, in dB; nil where there are none.
    /// - Parameters:
    ///   - drawn: as many as ``originals``.
    ///   - others: as many.
    func gain(of drawn: [RGBImage], over others: [RGBImage]) -> PictureMean? {
        guard !originals.isEmpty else { return nil }
        func psnr(_ pictures: [RGBImage]) -> [Double] {
            zip(pictures, originals).map { min(PictureDifference.perfectPSNR, PeakSignalToNoise.decibels($0, $1.image)) }
        }
        return PictureMean(zip(psnr(drawn), psnr(others)).map { $0 - $1 }, of: originals.map(\.source))
    }

    /// Keeps the first pictures of the reporting part, drawn from the latents that a cell makes of it, for ``grid(_:of:)``. Nothing where
    /// there are no originals to show beside them.
    /// - Parameter latents: raw, as many as ``reporting``.
    func keepSample(of latents: Latents, _ cell: some CustomStringConvertible) throws(ExperimentError) {
        guard !originals.isEmpty else { return }
        let first = latents.images(at: pictured.prefix(SamplePictures.count))
        do {
            try samples.keep(PixelBatch(vae.decode(first)).images(), of: "\(cell)")
        } catch {
            throw ExperimentError(error.reason)
        }
    }

    /// Original, autoencoder alone, and what was kept of each of the cells; nil without pictures.
    func grid<Cell: CustomStringConvertible>(_ caption: String, of cells: [(name: String, cell: Cell)]) -> ImageGrid? {
        let shown = cells.compactMap { cell in samples.pictures(of: "\(cell.cell)").map { (cell.name, $0) } }
        guard !originals.isEmpty, let count = shown.map(\.1.count).min() else { return nil }
        let own = PixelBatch(vae.decode(reporting.images(at: pictured.prefix(count)))).images()
        let rows = (0..<count).map { index in
            ImageGrid.Row("held-out image \(index + 1)", [originals[index].image, own[index]] + shown.map { $0.1[index] })
        }
        return ImageGrid(caption, columns: ["original", "autoencoder alone"] + shown.map(\.0), rows: rows)
    }

    /// Original, autoencoder alone, and each of the treatments, for the first few held-out pictures; nil without pictures.
    /// - Parameter treatments: raw latents under their names.
    func grid(_ caption: String, _ treatments: [(name: String, latents: Latents)], rows count: Int = 4) -> ImageGrid? {
        guard !originals.isEmpty else { return nil }
        let shown = [("autoencoder alone", reporting)] + treatments.map { ($0.name, $0.latents) }
        let rows = (0..<min(count, originals.count)).map { index in
            let drawn = shown.map { PixelBatch(vae.decode($0.1.images(at: [pictured[index]]))).images()[0] }
            return ImageGrid.Row("held-out image \(index + 1)", [originals[index].image] + drawn)
        }
        return ImageGrid(caption, columns: ["original"] + shown.map(\.0), rows: rows)
    }
}

/// The first held-out pictures as each cell of an experiment draws them, in files, so that a report can show them after an interruption
/// too.
struct SamplePictures: Sendable {
    /// Pictures of each cell.
    static let count = 3
    private let folder: String

    init(in folder: String) {
        self.folder = folder
    }

    func keep(_ pictures: [RGBImage], of cell: String) throws(FileError) {
        try StoredFolder.create(folder)
        for (index, picture) in pictures.enumerated() {
            try StoredFile.write(PNGEncoder.encode(picture), to: path(cell, index), .relaxed)
        }
    }

    /// - Returns: the first so many that are there; nil where the cell was not measured, or its files are gone.
    func pictures(of cell: String) -> [RGBImage]? {
        var pictures: [RGBImage] = []
        while pictures.count < Self.count, let bytes = try? StoredFile.read(path(cell, pictures.count)) {
            guard let picture = try? ImageDecoder.decode(bytes) else { break }
            pictures.append(picture)
        }
        return pictures.isEmpty ? nil : pictures
    }

    private func path(_ cell: String, _ index: Int) -> String {
        let name = cell.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return "\(folder)/\(String(name))-\(index + 1).png"
    }
}
