import Images

/// Which versions of each picture become tokens.
package enum Views: String, Sendable, Codable, CaseIterable {
    /// The picture as it is.
    case none
    /// The picture and its mirror image.
    case flip
    /// The four corners and the centre of a larger square, then the same of its mirror image, in torchvision's order (`TenCrop`).
    case tenCrop = "ten-crop"

    /// How many there are of one picture.
    package var count: Int {
        switch self {
        case .none: 1
        case .flip: 2
        case .tenCrop: 10
        }
    }

    /// The side of the square that views of `size` pixels are taken from. Source: LlamaGen, `extract_codes_c2i.py`, `--crop-range 1.1`.
    func sourceSide(_ size: Int) -> Int { self == .tenCrop ? size * 11 / 10 : size }

    /// The views, in order.
    /// - Parameters:
    ///   - picture: with ``tenCrop`` a square of ``sourceSide(_:)``.
    ///   - size: the side of ten crops.
    func of(_ picture: RGBImage, size: Int) -> [RGBImage] {
        switch self {
        case .none: [picture]
        case .flip: [picture, picture.mirrored]
        case .tenCrop: [picture, picture.mirrored].flatMap { Self.fiveCrops($0, size) }
        }
    }

    private static func fiveCrops(_ picture: RGBImage, _ size: Int) -> [RGBImage] {
        let margin = picture.width - size
        // torchvision rounds half to even.
        let centre = Int((Double(margin) / 2).rounded(.toNearestOrEven))
        let corners = [(0, 0), (margin, 0), (0, margin), (margin, margin), (centre, centre)]
        return corners.map { left, top in picture.cropped(left: left, top: top, side: size, isMirrored: false) }
    }
}

extension RGBImage {
    /// With left and right exchanged.
    fileprivate var mirrored: RGBImage {
        let mirrored = [UInt8](unsafeUninitializedCapacity: pixels.count) { result, count in
            for y in 0..<height {
                for x in 0..<width {
                    let (from, to) = ((y * width + x) * 3, (y * width + width - 1 - x) * 3)
                    for channel in 0..<3 { result[to + channel] = pixels[from + channel] }
                }
            }
            count = pixels.count
        }
        return RGBImage(width: width, height: height, pixels: mirrored)
    }
}
