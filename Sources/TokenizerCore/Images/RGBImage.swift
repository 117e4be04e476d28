/// An upright 8-bit RGB picture in sRGB.
public struct RGBImage: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// `height × width × 3` bytes, row-major, R G B interleaved.
    public let pixels: [UInt8]

    /// - Precondition: `pixels.count == width * height * 3`.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == width * height * 3, "\(pixels.count) bytes do not make a \(width)×\(height) RGB image")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Reads a PNG or JPEG file of up to 64 megapixels, see ``ImageDecoder``.
    /// - Throws: why the bytes are no picture.
    public init(decoding bytes: [UInt8]) throws(ImageError) {
        self = try ImageDecoder.decode(bytes)
    }

    /// The bytes of a PNG file, lossless, and the same for the same picture.
    ///
    /// - Precondition: there is at least one pixel, and each side is at most 1,000,000.
    public var png: [UInt8] { PNGEncoder.encode(self) }
}
