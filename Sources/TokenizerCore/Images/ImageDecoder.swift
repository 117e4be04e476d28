import CImageCodec

/// PNG or JPEG bytes → an upright ``RGBImage``.
///
/// - PNG: every colour type, bit depth and interlacing. Alpha and tRNS are composited over a background in the file's own
///   (gamma-encoded) bytes; 16-bit samples are rounded to 8. gAMA and colour profiles are ignored: bytes are taken as sRGB.
/// - JPEG: 8-bit baseline, extended and progressive; grey, YCbCr, RGB, CMYK and YCCK (255 = no ink, as Adobe writes them).
/// - EXIF orientation is applied, from APP1 or eXIf.
package enum ImageDecoder {
    /// A colour to show through transparent pixels, as R, G, B bytes.
    package typealias Color = SIMD3<UInt8>
    package static let white = Color(repeating: 255)

    /// - Throws: ``ImageError``, before anything is allocated where the header alone shows the problem. A file that is cut off or whose data
    ///   is damaged is refused, even where a part of the picture could be recovered.
    package static func decode(
        _ bytes: [UInt8], limits: ImageLimits = ImageLimits(), background: Color = white
    ) throws(ImageError) -> RGBImage {
        let header = try ImageHeader.parse(bytes)
        try limits.check(header)
        let pixels =
            switch header.format {
            case .png: try decodePNG(bytes, header, background)
            case .jpeg: try decodeJPEG(bytes, header, maxScans: limits.maxScans)
            }
        return RGBImage(width: header.width, height: header.height, pixels: pixels).upright(from: header.orientation)
    }

    private static func decodePNG(_ bytes: [UInt8], _ header: ImageHeader, _ background: Color) throws(ImageError) -> [UInt8] {
        try fillPixels(of: header) { pixels, failure in
            withUnsafeBytes(of: background) { background in
                _ = image_codec_decode_png(
                    bytes, bytes.count, UInt32(header.width), UInt32(header.height), background.baseAddress, pixels, &failure)
            }
        }
    }

    private static func decodeJPEG(_ bytes: [UInt8], _ header: ImageHeader, maxScans: Int) throws(ImageError) -> [UInt8] {
        try fillPixels(of: header) { pixels, failure in
            _ = image_codec_decode_jpeg(
                bytes, bytes.count, UInt32(header.width), UInt32(header.height), header.codecBytes,
                Int32(clamping: maxScans), pixels, &failure)
        }
    }

    private static func fillPixels(
        of header: ImageHeader, _ decode: (UnsafeMutablePointer<UInt8>?, inout ImageCodecFailure) -> Void
    ) throws(ImageError) -> [UInt8] {
        var failure = ImageCodecFailure()
        let byteCount = header.width * header.height * 3
        let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { pixels, count in
            decode(pixels.baseAddress, &failure)
            count = failure.status == .success ? byteCount : 0
        }
        if let error = ImageError(failure) { throw error }
        return pixels
    }
}

extension ImageError {
    /// Nil when nothing failed.
    init?(_ failure: ImageCodecFailure) {
        let text = withUnsafeBytes(of: failure.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        switch failure.status {
        case .success: return nil
        case .truncated: self = .truncated(text)
        case .corrupt: self = .corrupt(text)
        case .unsupported: self = .unsupportedFormat(text)
        case .tooLarge: self = .tooLarge(text)
        case .outOfMemory: self = .outOfMemory(text)
        }
    }
}
