/// A picture of any size → the square that the models see.
///
/// The shorter side is resized to ``imageSize`` (antialiased bilinear), the longer one in proportion, rounded down; the centre square is kept.
/// Equal to torchvision's `Resize(imageSize)` and `CenterCrop(imageSize)` on a PIL image, byte for byte. Only the kept square is
/// computed, from a few rows at a time, so memory is bounded by the shorter side however long the longer one would become.
package struct SquarePreprocessor: Sendable {
    /// Pixels per side of the result.
    package let imageSize: Int

    /// - Precondition: `imageSize` is 1…16,384.
    package init(imageSize: Int) {
        precondition(CentrePreprocessor.sides.contains(imageSize), "an image size is 1…16384 pixels, got \(imageSize)")
        self.imageSize = imageSize
    }

    /// - Precondition: `image` has at least one pixel.
    package func callAsFunction(_ image: RGBImage) -> RGBImage {
        guard image.width != imageSize || image.height != imageSize else { return image }
        return resampling(width: image.width, height: image.height)(image)
    }

    /// Another square of the picture, to learn from.
    ///
    /// - Parameters:
    ///   - scale: how many times ``imageSize`` the shorter side is resized to; no picture is enlarged for it.
    ///   - x: where in the room that there is along a row the square lies, 0 for the left and just below 1 for the right.
    ///   - y: the same along a column.
    /// - Precondition: `image` has at least one pixel, `scale` is at least 1, `x` and `y` are in 0 ..< 1.
    package func square(of image: RGBImage, scale: Double, x: Double, y: Double) -> RGBImage {
        precondition(scale >= 1 && (0..<1).contains(x) && (0..<1).contains(y), "no square at \(x), \(y) of scale \(scale)")
        let shorter = min(image.width, image.height)
        let side = max(imageSize, Int(min(Double(shorter), (Double(imageSize) * scale).rounded())))
        let resized = (width: side * image.width / shorter, height: side * image.height / shorter)
        func place(_ position: Double, in count: Int) -> Range<Int> {
            let start = Int(position * Double(count - imageSize + 1))
            return start..<start + imageSize
        }
        return Resampling(
            source: (image.width, image.height), resized: resized, columns: place(x, in: resized.width), rows: place(y, in: resized.height))(image)
    }

    /// How the square comes from a picture of this size, stored as `orientation` says.
    func resampling(width: Int, height: Int, orientation: Orientation = .upright) -> Resampling {
        CentrePreprocessor(width: imageSize, height: imageSize).resampling(width: width, height: height, orientation: orientation)
    }
}
