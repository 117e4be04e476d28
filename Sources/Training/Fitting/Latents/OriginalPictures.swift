import Files
import Images
import TokenizerCore

/// The squares that held-out latents were made from, as PNG files beside the latents, so that results are measured against the pictures
/// themselves and not against what the autoencoder makes of them.
///
/// Nothing is learned from them, so training pictures are not kept. Of the others a fair share is, chosen by contents.
struct OriginalPictures: Sendable {
    static let folderName = "originals"
    /// Pictures of each part that are kept, on average. More would narrow intervals by little and cost much to decode.
    private static let most = 128.0

    private let folder: String
    private let split: Split
    /// Of all pictures, how many there are.
    private let pictures: Int

    /// - Parameter directory: of the latents.
    init(in directory: String, _ split: Split, pictures: Int) {
        (folder, self.split, self.pictures) = ("\(directory)/\(Self.folderName)", split, pictures)
    }

    /// Whether the squares of this picture are kept.
    func keep(_ key: PictureKey) -> Bool {
        let (part, quantile) = split.place(of: key)
        return part != .training && quantile < Self.most / (Double(pictures) * Double(split.share(of: part)) / 100)
    }

    /// Keeps the squares of a picture, if it is one of those.
    func write(_ squares: [RGBImage], of key: PictureKey) throws(FileError) {
        guard keep(key) else { return }
        try StoredFolder.create(folder)
        for (index, square) in squares.enumerated() {
            try StoredFile.write(PNGEncoder.encode(square), to: path(key, index), .relaxed)
        }
    }

    /// One of the squares; nil where it is not there, or is damaged.
    func square(_ index: Int, of key: PictureKey) -> RGBImage? {
        guard keep(key), let bytes = try? StoredFile.read(path(key, index)) else { return nil }
        return try? ImageDecoder.decode(bytes)
    }

    /// Whether all squares that are to be kept of a picture are there.
    func isComplete(_ image: LatentImage) -> Bool {
        guard let key = image.key, image.rows > 0, keep(key) else { return true }
        return (0..<image.rows).allSatisfy { StoredFile.exists(path(key, $0)) }
    }

    /// Removes what is not of these pictures: of another split, or of pictures that are gone.
    func removeOthers(than images: some Sequence<LatentImage>) {
        guard let names = try? StoredFolder.names(in: folder) else { return }
        let wanted = Set(
            images.flatMap { image in
                image.key.map { key in keep(key) ? (0..<image.rows).map { name(key, $0) } : [] } ?? []
            })
        for name in names where !wanted.contains(name) { StoredFolder.remove("\(folder)/\(name)") }
    }

    private func path(_ key: PictureKey, _ index: Int) -> String { "\(folder)/\(name(key, index))" }

    private func name(_ key: PictureKey, _ index: Int) -> String { "\(key.digits)-\(index).png" }
}
