import Files

/// What a PNG or JPEG file says about its picture before any pixel of it is decoded.
package struct ImageHeader: Sendable, Equatable {
    package enum Format: String, Sendable {
        case png, jpeg
    }

    package let format: Format
    /// Pixels per row and rows as they are stored, before ``orientation`` is applied; at least 1 and below 2³¹.
    package let width: Int
    package let height: Int
    /// How the stored picture must be turned to stand upright.
    package let orientation: Orientation
    /// What the codec needs beyond the picture: rows in flight, and all coefficients of a JPEG that comes in several scans.
    let codecBytes: Int
    /// Whether the rows come only once the codec has put the whole picture together.
    var isInterlaced = false

    /// The most memory that decoding takes at any moment: the picture, its upright copy when it must be turned, and the codec's own.
    package var decodedBytes: Int {
        let pictureBytes = width * height * 3
        return pictureBytes * ((orientation == .upright ? 1 : 2) + (isInterlaced ? 1 : 0)) + codecBytes
    }

    /// The most memory that ``ImageDecoder/square(_:_:imageSize:limits:background:goesOn:)`` takes at any moment.
    package func bytes(forSquaresOf imageSize: Int) -> Int { bytes(for: resampling(toSquaresOf: imageSize)) }

    /// The most memory that ``ImageDecoder/centre(_:_:_:limits:background:goesOn:)`` takes at any moment.
    package func bytes(for preprocessor: CentrePreprocessor) -> Int { bytes(for: resampling(by: preprocessor)) }

    /// The same for any result.
    func bytes(for resampling: Resampling) -> Int { resampling.bytes + codecBytes + (isInterlaced ? width * height * 3 : 0) }

    func resampling(by preprocessor: CentrePreprocessor) -> Resampling {
        preprocessor.resampling(width: width, height: height, orientation: orientation)
    }

    func resampling(toSquaresOf imageSize: Int) -> Resampling {
        SquarePreprocessor(imageSize: imageSize).resampling(width: width, height: height, orientation: orientation)
    }

    /// Reads format, size and orientation of a file; no pixel is decoded, and nothing is allocated.
    ///
    /// Time is linear in the bytes before the first scan (JPEG) or in the number of chunks (PNG).
    /// - Throws: ``ImageError`` when the bytes are no PNG or JPEG, end inside the header, or contradict the format.
    package static func parse(_ bytes: ArraySlice<UInt8>) throws(ImageError) -> ImageHeader {
        guard !bytes.isEmpty else { throw .empty }
        let file = ByteReader(bytes, .bigEndian)
        if isPrefix(PNGHeaderParser.signature, orPrefixedBy: bytes) { return try PNGHeaderParser(file: file).parse() }
        if isPrefix(JPEGHeaderParser.signature, orPrefixedBy: bytes) { return try JPEGHeaderParser(file: file).parse() }
        let start = bytes.prefix(4).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        throw .unsupportedFormat("the data starts with \(start.joined(separator: " ")): expected a PNG or JPEG file")
    }

    package static func parse(_ bytes: [UInt8]) throws(ImageError) -> ImageHeader { try parse(bytes[...]) }

    /// Whether `bytes` starts with the signature, or ends inside it (then its parser reports a truncated file).
    private static func isPrefix(_ signature: [UInt8], orPrefixedBy bytes: ArraySlice<UInt8>) -> Bool {
        bytes.starts(with: signature.prefix(bytes.count))
    }
}
