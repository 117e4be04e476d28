import Files
import Images

/// What a run's weights made of some of the choosing part's pictures, measurement by measurement, in a folder of the run: PNG files, each with
/// the same pictures one below another.
package struct PictureSheets {
    /// The folder's name.
    package static let name = "sheets"
    private static let originalsName = "originals.png", digits = 8
    /// More are not shown: they tell an eye nothing new, and a run has many measurements.
    static let most = 8

    private let folder: String

    /// - Parameter run: the run's folder.
    package init(of run: String) {
        folder = "\(run)/\(Self.name)"
    }

    /// - Parameter pictures: squares of one size; those beyond ``most`` are left out.
    func write(_ pictures: [RGBImage], step: Int?) throws(FileError) {
        try StoredFolder.create(folder)
        let name = step.map(Self.file) ?? Self.originalsName
        try StoredFile.write(Self.stack(pictures.prefix(Self.most)).png, to: "\(folder)/\(name)")
    }

    /// The steps that have a sheet, ascending.
    package func steps() throws(FileError) -> [Int] {
        guard StoredFolder.exists(folder) else { return [] }
        return try StoredFolder.names(in: folder).compactMap { name in
            Int(name.prefix(Self.digits)).flatMap { Self.file($0) == name ? $0 : nil }
        }.sorted()
    }

    /// The pictures as they were drawn after a step; with nil the originals.
    package func pictures(step: Int?) throws(FileError) -> [RGBImage] {
        let path = "\(folder)/\(step.map(Self.file) ?? Self.originalsName)"
        let bytes = try StoredFile.read(path)
        do throws(ImageError) {
            return Self.squares(of: try ImageDecoder.decode(bytes))
        } catch {
            throw FileError(path, "\(error)")
        }
    }

    private static func file(_ step: Int) -> String {
        let text = String(step)
        return String(repeating: "0", count: max(0, digits - text.count)) + text + ".png"
    }

    private static func stack(_ pictures: ArraySlice<RGBImage>) -> RGBImage {
        RGBImage(width: pictures.first!.width, height: pictures.reduce(0) { $0 + $1.height }, pixels: pictures.flatMap(\.pixels))
    }

    private static func squares(of sheet: RGBImage) -> [RGBImage] {
        let (side, bytes) = (sheet.width, sheet.width * sheet.width * 3)
        return (0..<sheet.height / side).map { RGBImage(width: side, height: side, pixels: Array(sheet.pixels[$0 * bytes..<($0 + 1) * bytes])) }
    }
}
