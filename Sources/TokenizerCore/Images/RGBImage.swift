/// An upright 8-bit RGB picture in sRGB.
package struct RGBImage: Sendable, Equatable {
    package let width: Int
    package let height: Int
    /// `height × width × 3` bytes, row-major, R G B interleaved.
    package let pixels: [UInt8]

    /// - Precondition: `pixels.count == width * height * 3`.
    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == width * height * 3, "\(pixels.count) bytes do not make a \(width)×\(height) RGB image")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
