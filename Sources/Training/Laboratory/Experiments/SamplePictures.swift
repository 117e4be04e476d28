import Files
import Images

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
