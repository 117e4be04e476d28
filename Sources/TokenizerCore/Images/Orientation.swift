import Files

/// How a stored picture must be turned to stand upright: EXIF tag 0x0112, "Orientation".
package enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored
    case turnedHalf
    case flipped
    case transposed
    /// Stored turned to the left: turn it clockwise.
    case turnedLeft
    case transversed
    /// Stored turned to the right: turn it counter-clockwise.
    case turnedRight

    /// Whether width and height change places.
    package var swapsSides: Bool { rawValue >= 5 }
    /// Whether stored rows run backwards: to the left, or upwards.
    var mirrorsRows: Bool { self == .mirrored || self == .turnedHalf || self == .transversed || self == .turnedRight }
    /// Whether stored columns run backwards: the last row comes first.
    var mirrorsColumns: Bool { self == .flipped || self == .turnedHalf || self == .transversed || self == .turnedLeft }

    /// Reads the tag from an EXIF block: a TIFF header, then its first directory.
    ///
    /// A block that is malformed, lacks the tag or has an unknown value means upright, as viewers have it.
    /// Source: CIPA DC-008 (Exif 2.32) §4.5–4.6; TIFF 6.0 §2.
    init(exif: ArraySlice<UInt8>) {
        self = Self.find(inExif: exif) ?? .upright
    }

    private static func find(inExif exif: ArraySlice<UInt8>) -> Orientation? {
        let isLittleEndian = exif.first == UInt8(ascii: "I")
        let file = ByteReader(exif, isLittleEndian ? .littleEndian : .bigEndian)
        guard file.has(isLittleEndian ? "II" : "MM", at: 0), file.integer(2, at: 2) == 42,
            let directory = file.integer(4, at: 4), let entries = file.integer(2, at: directory)
        else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = file.integer(2, at: offset) else { return nil }
            guard tag == 0x0112 else { continue }
            return value(of: file, entryAt: offset).flatMap(Orientation.init(rawValue:))
        }
        return nil
    }

    /// The single SHORT that the standard asks for, or the LONG that some writers store.
    private static func value(of file: ByteReader, entryAt offset: Int) -> Int? {
        guard file.integer(4, at: offset + 4) == 1 else { return nil }
        switch file.integer(2, at: offset + 2) {
        case 3: return file.integer(2, at: offset + 8)
        case 4: return file.integer(4, at: offset + 8)
        default: return nil
        }
    }
}

extension RGBImage {
    /// The picture turned so that it stands upright.
    func upright(from orientation: Orientation) -> RGBImage {
        guard orientation != .upright else { return self }
        let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
        let walk = SourceWalk(orientation, width: width, height: height)
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { destination, count in
            pixels.withUnsafeBufferPointer { source in
                walk.copy(source.baseAddress!, to: destination.baseAddress!, width: newWidth, height: newHeight)
            }
            count = pixels.count
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: turned)
    }
}

/// Where the pixel of the stored picture lies that an upright pixel shows, as steps through the stored one.
private struct SourceWalk {
    /// Pixels from the stored picture's start to what becomes the top left corner.
    let origin: Int
    /// Pixels to go for one step right, and one step down, in the upright picture.
    let right: Int
    let down: Int

    init(_ orientation: Orientation, width: Int, height: Int) {
        let (topRight, bottomLeft, bottomRight) = (width - 1, width * (height - 1), width * height - 1)
        (origin, right, down) =
            switch orientation {
            case .upright: (0, 1, width)
            case .mirrored: (topRight, -1, width)
            case .turnedHalf: (bottomRight, -1, -width)
            case .flipped: (bottomLeft, 1, -width)
            case .transposed: (0, width, 1)
            case .turnedLeft: (bottomLeft, -width, 1)
            case .transversed: (bottomRight, -width, -1)
            case .turnedRight: (topRight, width, -1)
            }
    }

    /// Copies in square tiles: a column of the stored picture touches one cache line per row.
    func copy(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
        let tile = 32
        for top in stride(from: 0, to: height, by: tile) {
            for left in stride(from: 0, to: width, by: tile) {
                for y in top..<min(top + tile, height) {
                    var from = source + 3 * (origin + y * down + left * right)
                    var to = destination + 3 * (y * width + left)
                    for _ in left..<min(left + tile, width) {
                        (to[0], to[1], to[2]) = (from[0], from[1], from[2])
                        from += 3 * right
                        to += 3
                    }
                }
            }
        }
    }
}
