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

    /// The whole picture.
    ///
    /// - Throws: ``ImageError``, before anything is allocated where the header alone shows the problem. A file that is cut off or whose data
    ///   is damaged is refused, even where a part of the picture could be recovered.
    package static func decode(
        _ bytes: [UInt8], limits: ImageLimits = ImageLimits(), background: Color = white
    ) throws(ImageError) -> RGBImage {
        let bytes = bytes[...]
        let header = try ImageHeader.parse(bytes)
        try limits.check(header)
        return try decode(bytes, header, limits, background) { true }
    }

    /// The picture, or where that is a JPEG much larger than needed, a half, a quarter or an eighth of it in width and height, which takes a
    /// fraction of the work. It is not quite what resampling the whole picture gives: to learn from, not to make tokens of.
    ///
    /// - Parameter side: what the shorter side of the result must at least have, where the picture has it.
    /// - Throws: as ``decode(_:limits:background:)``.
    package static func decode(
        _ bytes: [UInt8], reducedTo side: Int, limits: ImageLimits = ImageLimits(), background: Color = white
    ) throws(ImageError) -> RGBImage {
        let bytes = bytes[...]
        let header = try ImageHeader.parse(bytes)
        try limits.check(header)
        let reduction = header.format == .jpeg ? [8, 4, 2].first { min(header.width, header.height) >= side * $0 } : nil
        return try decode(bytes, header, limits, background, reduction: reduction ?? 1) { true }
    }

    /// The square that ``SquarePreprocessor`` makes of the picture, byte for byte.
    ///
    /// Rows go into the resampler as they are decoded, so that the picture itself is never in memory (``ImageHeader/bytes(forSquaresOf:)``).
    ///
    /// - Parameters:
    ///   - header: that of `bytes`, which the caller has parsed and checked against its limits.
    ///   - goesOn: asked every few rows; once it says no, decoding ends with ``ImageError/stopped``.
    package static func square(
        _ bytes: ArraySlice<UInt8>, _ header: ImageHeader, imageSize: Int, limits: ImageLimits, background: Color = white,
        goesOn: () -> Bool = { true }
    ) throws(ImageError) -> RGBImage {
        try resampled(bytes, header, header.resampling(toSquaresOf: imageSize), limits, background, goesOn)
    }

    /// What ``CentrePreprocessor`` makes of the picture, whose rows go into the resampler as those of a square do.
    ///
    /// - Parameters:
    ///   - header: that of `bytes`, which the caller has parsed and checked against its limits.
    ///   - goesOn: asked every few rows; once it says no, decoding ends with ``ImageError/stopped``.
    package static func centre(
        _ bytes: ArraySlice<UInt8>, _ header: ImageHeader, _ preprocessor: CentrePreprocessor, limits: ImageLimits, background: Color = white,
        goesOn: () -> Bool = { true }
    ) throws(ImageError) -> RGBImage {
        try resampled(bytes, header, header.resampling(by: preprocessor), limits, background, goesOn)
    }

    /// What ``WholePreprocessor`` makes of the picture, whose rows go into the resampler as those of a square do.
    ///
    /// - Parameter header: that of `bytes`.
    /// - Throws: ``ImageError``, before anything is allocated where the header alone shows that a limit is exceeded.
    package static func whole(
        _ bytes: ArraySlice<UInt8>, _ header: ImageHeader, _ preprocessor: WholePreprocessor, limits: ImageLimits, background: Color = white
    ) throws(ImageError) -> RGBImage {
        let resampling = try preprocessor.resampling(of: header)
        try limits.check(header, taking: header.bytes(for: resampling))
        return try resampled(bytes, header, resampling, limits, background) { true }
    }

    private static func resampled(
        _ bytes: ArraySlice<UInt8>, _ header: ImageHeader, _ resampling: Resampling, _ limits: ImageLimits, _ background: Color,
        _ goesOn: () -> Bool
    ) throws(ImageError) -> RGBImage {
        var picture = ResampledPicture(resampling)
        try forEachRow(bytes, header, limits, background, goesOn) { y, row in picture.take(row, at: y) }
        return picture.finished()
    }

    private static func decode(
        _ bytes: ArraySlice<UInt8>, _ header: ImageHeader, _ limits: ImageLimits, _ background: Color, reduction: Int = 1, _ goesOn: () -> Bool
    ) throws(ImageError) -> RGBImage {
        // libjpeg rounds up.
        let (width, height) = ((header.width + reduction - 1) / reduction, (header.height + reduction - 1) / reduction)
        let rowBytes = 3 * width
        var failure: ImageError?
        let pixels = [UInt8](unsafeUninitializedCapacity: rowBytes * height) { pixels, count in
            do throws(ImageError) {
                try forEachRow(bytes, header, limits, background, reduction: reduction, goesOn) { y, row in
                    (pixels.baseAddress! + y * rowBytes).update(from: row, count: rowBytes)
                }
                count = rowBytes * height
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return RGBImage(width: width, height: height, pixels: pixels).upright(from: header.orientation)
    }

    /// Calls `take` with every stored row, from the top down.
    private static func forEachRow(
        _ bytes: ArraySlice<UInt8>, _ header: ImageHeader, _ limits: ImageLimits, _ background: Color, reduction: Int = 1, _ goesOn: () -> Bool,
        _ take: (_ y: Int, _ row: UnsafePointer<UInt8>) -> Void
    ) throws(ImageError) {
        var failure = ImageCodecFailure()
        withoutActuallyEscaping(take) { take in
            withoutActuallyEscaping(goesOn) { goesOn in
                withExtendedLifetime(RowReceiver(take: take, goesOn: goesOn)) { receiver in
                    decode(bytes, header, limits, background, reduction, receiver.rows, &failure)
                }
            }
        }
        if let error = ImageError(failure) { throw error }
    }

    private static func decode(
        _ bytes: ArraySlice<UInt8>, _ header: ImageHeader, _ limits: ImageLimits, _ background: Color, _ reduction: Int, _ rows: ImageCodecRows,
        _ failure: inout ImageCodecFailure
    ) {
        let (width, height) = (UInt32(header.width), UInt32(header.height))
        bytes.withUnsafeBufferPointer { bytes in
            switch header.format {
            case .png:
                _ = withUnsafeBytes(of: background) {
                    image_codec_decode_png(bytes.baseAddress, bytes.count, width, height, $0.baseAddress, rows, &failure)
                }
            case .jpeg:
                _ = image_codec_decode_jpeg(
                    bytes.baseAddress, bytes.count, width, height, UInt32(reduction), header.codecBytes, Int32(clamping: limits.scans(of: header)),
                    limits.scanBytes(of: header), rows, &failure)
            }
        }
    }
}

/// What the codec calls for every row.
private final class RowReceiver {
    private let take: (Int, UnsafePointer<UInt8>) -> Void
    private let goesOn: () -> Bool

    init(take: @escaping (Int, UnsafePointer<UInt8>) -> Void, goesOn: @escaping () -> Bool) {
        (self.take, self.goesOn) = (take, goesOn)
    }

    /// - Precondition: this object outlives them.
    var rows: ImageCodecRows {
        ImageCodecRows(
            context: Unmanaged.passUnretained(self).toOpaque(),
            take: { context, y, row in Unmanaged<RowReceiver>.fromOpaque(context!)._withUnsafeGuaranteedRef { $0.take(Int(y), row!) } },
            goes_on: { context in Unmanaged<RowReceiver>.fromOpaque(context!)._withUnsafeGuaranteedRef { $0.goesOn() } })
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
        case .stopped: self = .stopped
        }
    }
}
