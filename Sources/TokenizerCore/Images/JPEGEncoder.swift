import CImageCodec
import Glibc

/// An ``RGBImage`` → the bytes of a baseline JPEG file.
package enum JPEGEncoder {
    /// The same bytes for the same picture; colours at full resolution.
    ///
    /// - Parameter quality: libjpeg's, 1 to 100.
    /// - Precondition: `image` has at least one pixel, and each side is at most 65,500 (libjpeg's own bound).
    package static func encode(_ image: RGBImage, quality: Int) -> [UInt8] {
        let sides = 1...65_500
        precondition(
            sides.contains(image.width) && sides.contains(image.height) && (1...100).contains(quality),
            "a \(image.width)×\(image.height) picture cannot be written as JPEG of quality \(quality)")
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        var failure = ImageCodecFailure()
        _ = image_codec_encode_jpeg(image.pixels, UInt32(image.width), UInt32(image.height), CInt(quality), &bytes, &count, &failure)
        if let error = ImageError(failure) { preconditionFailure("encoding a \(image.width)×\(image.height) picture: \(error)") }
        defer { free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
