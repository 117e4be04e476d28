import CImageCodec
import Glibc

/// An ``RGBImage`` → the bytes of an 8-bit RGB PNG file.
package enum PNGEncoder {
    /// Lossless, and the same bytes for the same picture.
    ///
    /// - Precondition: `image` has at least one pixel, and each side is at most 1,000,000 (libpng's own bound).
    package static func encode(_ image: RGBImage) -> [UInt8] {
        let sides = 1...1_000_000
        precondition(
            sides.contains(image.width) && sides.contains(image.height),
            "a \(image.width)×\(image.height) picture cannot be written as PNG")
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        var failure = ImageCodecFailure()
        _ = image_codec_encode_png(image.pixels, UInt32(image.width), UInt32(image.height), &bytes, &count, &failure)
        if let error = ImageError(failure) { preconditionFailure("encoding a \(image.width)×\(image.height) picture: \(error)") }
        defer { free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
