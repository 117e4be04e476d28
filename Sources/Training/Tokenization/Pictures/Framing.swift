import Images

/// How a picture's file becomes what the tokenizer sees.
package struct Framing: Sendable, Equatable, Codable {
    package enum Crop: String, Sendable, Codable, CaseIterable {
        /// Shorter side to the size, centre square: as the server does it.
        case centre
        /// Shorter side to the size, the whole picture.
        case none
    }

    /// Of the squares, or of the shorter side; in pixels.
    package let size: Int
    package let crop: Crop
    package let views: Views

    package init(size: Int, crop: Crop, views: Views) {
        (self.size, self.crop, self.views) = (size, crop, views)
    }

    /// Decodes a picture and makes its views, all of one size.
    /// - Parameter step: what sides are multiples of where the whole picture is kept, in pixels.
    /// - Throws: why the bytes are no picture, or none that can be used.
    func views(of bytes: [UInt8], step: Int) throws(ImageError) -> [RGBImage] {
        let (bytes, limits) = (bytes[...], ImageLimits())
        let header = try ImageHeader.parse(bytes)
        switch crop {
        case .centre:
            let side = views.sourceSide(size)
            try limits.check(header, forSquaresOf: side)
            return views.of(try ImageDecoder.square(bytes, header, imageSize: side, limits: limits), size: size)
        case .none:
            let whole = WholePreprocessor(shorterSide: size, step: step)
            return views.of(try ImageDecoder.whole(bytes, header, whole, limits: limits), size: size)
        }
    }
}
