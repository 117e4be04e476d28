/// A picture of any size → the square that the models see.
///
/// The shorter side is resized to ``imageSize`` (antialiased bilinear), the longer one in proportion, rounded down; the centre square is kept.
/// Equal to torchvision's `Resize(imageSize)` and `CenterCrop(imageSize)` on a PIL image, byte for byte. Only the kept square is
/// computed, so memory is bounded by `imageSize × the picture's height`, however long the longer side would become.
package struct SquarePreprocessor: Sendable {
    /// Pixels per side of the result.
    package let imageSize: Int

    /// - Precondition: `imageSize` is 1…16,384.
    package init(imageSize: Int) {
        precondition((1...16_384).contains(imageSize), "an image size is 1…16384 pixels, got \(imageSize)")
        self.imageSize = imageSize
    }

    /// - Precondition: `image` has at least one pixel.
    package func callAsFunction(_ image: RGBImage) -> RGBImage {
        guard image.width != imageSize || image.height != imageSize else { return image }
        var square = square(width: image.width, height: image.height)
        image.pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<image.height { square.take(pixels.baseAddress! + y * image.width * 3, at: y) }
        }
        return square.finished()
    }

    /// The square of a picture of this size, to be fed row by row.
    func square(width: Int, height: Int) -> ResampledPicture {
        precondition(width > 0 && height > 0, "a \(width)×\(height) image has no pixels")
        let shorter = min(width, height)
        let resized = (width: imageSize * width / shorter, height: imageSize * height / shorter)
        let resampling = Resampling(
            source: (width, height), resized: resized, columns: centre(of: resized.width), rows: centre(of: resized.height))
        return ResampledPicture(resampling)
    }

    /// The most bytes that ``square(width:height:)`` of a picture so high takes: its rows at the square's width, and the square.
    func squareBytes(height: Int) -> Int { 3 * imageSize * (height + imageSize) }

    /// torchvision rounds half of an odd margin to the even neighbour.
    private func centre(of count: Int) -> Range<Int> {
        let margin = count - imageSize
        let start = margin / 2 + (margin % 4 == 3 ? 1 : 0)
        return start..<start + imageSize
    }
}
