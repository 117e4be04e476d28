import Files

/// Reads size and orientation from a PNG file's chunks.
///
/// Source: Portable Network Graphics (PNG) Specification, third edition, W3C, §5 and §11.
struct PNGHeaderParser {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let maximumExtent = 0x7FFF_FFFF

    let file: ByteReader

    func parse() throws(ImageError) -> ImageHeader {
        guard let length = file.integer(4, at: 8), let width = file.integer(4, at: 16), let height = file.integer(4, at: 20),
            let depth = file.integer(1, at: 24), let color = file.integer(1, at: 25), let interlace = file.integer(1, at: 28)
        else { throw .truncated("PNG: \(file.count) bytes end inside the header") }
        guard length == 13, file.has("IHDR", at: 12) else { throw .corrupt("PNG: the first chunk is not a 13-byte IHDR") }
        let extents = 1...Self.maximumExtent
        guard extents.contains(width), extents.contains(height) else {
            throw .corrupt("PNG: a size of \(width)×\(height) pixels is not valid")
        }
        guard Self.depths(ofColorType: color).contains(depth), interlace <= 1 else {
            throw .corrupt("PNG: colour type \(color) with bit depth \(depth) and interlace method \(interlace) is not valid")
        }
        return ImageHeader(
            format: .png, width: width, height: height, orientation: try findOrientation(),
            codecBytes: Self.inflateBytes + Self.rowBytesPerPixel * width, isInterlaced: interlace == 1)
    }

    /// zlib's window and tables, libpng's structures.
    private static let inflateBytes = 256 << 10
    /// Three raw rows of up to 8 bytes per pixel, of which libpng keeps two, and one decoded row.
    private static let rowBytesPerPixel = 27

    private static func depths(ofColorType color: Int) -> [Int] {
        switch color {
        case 0: [1, 2, 4, 8, 16]
        case 3: [1, 2, 4, 8]
        case 2, 4, 6: [8, 16]
        default: []
        }
    }

    /// The most chunks. Encoders write one for every 8 KiB or more; a file of nothing else would keep parser and decoder busy.
    private static let maximumChunks = 1 << 16

    /// Looks for an eXIf chunk. Where the chunks break off the search ends: the decoder will say what is wrong.
    private func findOrientation() throws(ImageError) -> Orientation {
        var orientation: Orientation?
        var offset = Self.signature.count
        for _ in 0..<Self.maximumChunks {
            guard let length = file.integer(4, at: offset), !file.has("IEND", at: offset + 4) else { return orientation ?? .upright }
            if orientation == nil, file.has("eXIf", at: offset + 4), let exif = file.slice(at: offset + 8, count: length) {
                orientation = Orientation(exif: exif)
            }
            offset += length + 12
        }
        throw .corrupt("PNG: the file has more than \(Self.maximumChunks) chunks")
    }
}
