import Compute
import Files
import Fitting
import Images
import Jobs
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

    /// Those of ``originals`` that reports show, spread over all: neighbours are often of one photograph.
    private var shown: [Int] {
        let count = min(SamplePictures.count, originals.count)
        return (0..<count).map { $0 * originals.count / count }
    }

    /// Of what a plot's or table's figures are.
    var measured: String {
        originals.isEmpty
            ? Figure.count(reporting.count, "latent") + " of the reporting part" : Figure.count(originals.count, "picture") + " of the reporting part"
    }

    /// Keeps some pictures of the reporting part, drawn from the latents that a cell makes of it, for ``grid(_:of:)``. Nothing where
    /// there are no originals to show beside them.
    /// - Parameter latents: raw, as many as ``reporting``.
    func keepSample(of latents: Latents, _ cell: some CustomStringConvertible) throws(ExperimentError) {
        guard !originals.isEmpty else { return }
        do {
            try samples.keep(zip(shown, sample(of: latents)).map { ($0, $1) }, of: "\(cell)")
        } catch {
            throw ExperimentError(error.reason)
        }
    }

    /// What ``keepSample(of:_:)`` kept of a cell; nil where it did not.
    func sample(of cell: some CustomStringConvertible) -> [RGBImage]? { samples.pictures(shown, of: "\(cell)") }

    /// The pictures that reports show, drawn from the latents that something makes of the reporting part.
    /// - Parameter latents: raw, as many as ``reporting``.
    func sample(of latents: Latents) -> [RGBImage] {
        PixelBatch(vae.decode(latents.images(at: shown.map { pictured[$0] }))).images()
    }

    /// Original, autoencoder alone, and what was kept of each of the cells; nil without pictures.
    func grid<Cell: CustomStringConvertible>(_ caption: String, of cells: [(name: String, cell: Cell)]) -> ImageGrid? {
        let drawn = cells.compactMap { cell in sample(of: cell.cell).map { (cell.name, $0) } }
        guard !drawn.isEmpty else { return nil }
        return grid(caption, columns: [("autoencoder alone", sample(of: reporting))] + drawn)
    }

    /// Original, autoencoder alone, and each of the treatments, for some held-out pictures; nil without pictures.
    /// - Parameter treatments: raw latents under their names.
    func grid(_ caption: String, _ treatments: [(name: String, latents: Latents)]) -> ImageGrid? {
        guard !originals.isEmpty else { return nil }
        return grid(caption, columns: ([("autoencoder alone", reporting)] + treatments).map { ($0.name, sample(of: $0.latents)) })
    }

    /// The originals that reports show, and others beside them.
    /// - Parameter columns: under its name, a picture for each of these originals.
    func grid(_ caption: String, columns: [(name: String, pictures: [RGBImage])]) -> ImageGrid {
        let rows = shown.enumerated().map { place, index in
            ImageGrid.Row("held-out picture \(index + 1) of \(originals.count)", [originals[index].image] + columns.map { $0.pictures[place] })
        }
        return ImageGrid(caption, columns: ["original"] + columns.map(\.name), rows: rows)
    }
}

/// Some held-out pictures as each cell of an experiment draws them, in files, so that a report can show them after an interruption
/// too.
struct SamplePictures: Sendable {
    /// Pictures of each cell.
    static let count = 3
    private let folder: String

    init(in folder: String) {
        self.folder = folder
    }

    /// - Parameter pictures: by their places among the held-out ones.
    func keep(_ pictures: [(index: Int, picture: RGBImage)], of cell: String) throws(FileError) {
        try StoredFolder.create(folder)
        for (index, picture) in pictures {
            try StoredFile.write(PNGEncoder.encode(picture), to: path(cell, index), .relaxed)
        }
    }

    /// - Returns: those of these places; nil where the cell was not measured, or a file is gone: others would stand beside wrong originals.
    func pictures(_ indices: [Int], of cell: String) -> [RGBImage]? {
        let pictures = indices.compactMap { index in
            (try? StoredFile.read(path(cell, index))).flatMap { try? ImageDecoder.decode($0) }
        }
        return pictures.count == indices.count ? pictures : nil
    }

    private func path(_ cell: String, _ index: Int) -> String {
        let name = cell.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return "\(folder)/\(String(name))-\(index + 1).png"
    }
}
