/// How large a picture may be. Checked against the header, before anything is allocated.
package struct ImageLimits: Sendable, Equatable {
    /// The longest width or height, in pixels.
    package var maxSide: Int
    /// The largest width × height.
    package var maxPixels: Int
    /// The most memory that decoding may take at any moment, in bytes; see ``ImageHeader/bytes(forSquaresOf:)``.
    package var maxDecodedBytes: Int
    /// The most scans of a progressive JPEG; encoders write about ten. Each one is a pass over the whole picture, however few bytes it has.
    package var maxScans: Int
    /// The most scans × pixels of a JPEG: what reading all its coefficients as often as it asks for may cost.
    package var maxScanPixels = 640_000_000
    /// The most coded bytes of a JPEG for each pixel, beside a megabyte. Noise at quality 100 has up to 5.
    package var maxScanBytesPerPixel = 6
    /// The most processor time that decoding may take, and what each megapixel adds: several times what photographs take.
    package var maxProcessorTime = Duration.milliseconds(500)
    package var maxProcessorTimePerMegapixel = Duration.milliseconds(25)

    /// Defaults admit every camera photograph up to 64 megapixels.
    package init(maxSide: Int = 65_535, maxPixels: Int = 64_000_000, maxDecodedBytes: Int = 1 << 30, maxScans: Int = 32) {
        precondition(
            maxSide > 0 && maxSide <= 1 << 24 && maxPixels > 0 && maxDecodedBytes > 0 && maxScans > 0,
            "limits are positive, and a side is at most 2²⁴: \(maxSide), \(maxPixels), \(maxDecodedBytes), \(maxScans)")
        self.maxSide = maxSide
        self.maxPixels = maxPixels
        self.maxDecodedBytes = maxDecodedBytes
        self.maxScans = maxScans
    }

    /// Whether the whole picture may be decoded.
    /// - Throws: ``ImageError/tooLarge(_:)`` naming the limit that `header` exceeds.
    package func check(_ header: ImageHeader) throws(ImageError) {
        try check(header, taking: header.decodedBytes)
    }

    /// Whether squares may be made of the picture.
    /// - Throws: ``ImageError/tooLarge(_:)`` naming the limit that `header` exceeds.
    package func check(_ header: ImageHeader, forSquaresOf imageSize: Int) throws(ImageError) {
        try check(header, taking: header.bytes(forSquaresOf: imageSize))
    }

    /// Whether the centre of the picture may be made in another size.
    /// - Throws: ``ImageError/tooLarge(_:)`` naming the limit that `header` exceeds.
    package func check(_ header: ImageHeader, for preprocessor: CentrePreprocessor) throws(ImageError) {
        try check(header, taking: header.bytes(for: preprocessor))
    }

    func check(_ header: ImageHeader, taking bytes: @autoclosure () -> Int) throws(ImageError) {
        let size = "\(header.width)×\(header.height)"
        guard max(header.width, header.height) <= maxSide else {
            throw .tooLarge("the image is \(size) pixels: a side may be at most \(maxSide)")
        }
        guard header.width * header.height <= maxPixels else {
            throw .tooLarge("the image is \(size) = \(header.width * header.height) pixels: at most \(maxPixels) are accepted")
        }
        let bytes = bytes()
        guard bytes <= maxDecodedBytes else {
            throw .tooLarge("decoding the \(size) image takes \(bytes) bytes: at most \(maxDecodedBytes) are allowed")
        }
    }

    /// How long a picture of this size may be decoded.
    package func processorTime(of header: ImageHeader) -> Duration {
        maxProcessorTime + maxProcessorTimePerMegapixel * (Double(header.width * header.height) / 1e6)
    }

    /// How many scans a picture of this size may have.
    func scans(of header: ImageHeader) -> Int {
        max(1, min(maxScans, maxScanPixels / (header.width * header.height)))
    }

    /// How many bytes all scans of a picture of this size may have.
    func scanBytes(of header: ImageHeader) -> Int { (1 << 20) + maxScanBytesPerPixel * header.width * header.height }
}
