/// A picture of any size → the centre of it in another size and shape.
///
/// The picture is resized in its proportions (antialiased bilinear) to the smallest one that covers ``width`` × ``height``, the longer side
/// rounded down, and the centre is kept. Of a square that is torchvision's `Resize` and `CenterCrop` on a PIL image, byte for byte. Only what is
/// kept is computed, from a few rows at a time, so memory is bounded however long the other side would become.
package struct CentrePreprocessor: Sendable, Hashable {
    /// Pixels of a row of the result, and its rows.
    package let width, height: Int
    /// What a side may be, in pixels.
    package static let sides = 1...16_384

    /// - Precondition: both sides are among ``sides``.
    package init(width: Int, height: Int) {
        precondition(Self.sides.contains(width) && Self.sides.contains(height), "a side is \(Self.sides) pixels, got \(width)×\(height)")
        (self.width, self.height) = (width, height)
    }

    /// How the result comes from a picture of this size, stored as `orientation` says.
    func resampling(width: Int, height: Int, orientation: Orientation = .upright) -> Resampling {
        precondition(width > 0 && height > 0, "a \(width)×\(height) image has no pixels")
        let upright = orientation.swapsSides ? (width: height, height: width) : (width: width, height: height)
        let isNarrower = upright.width * self.height <= upright.height * self.width
        let resized =
            isNarrower
            ? (width: self.width, height: self.width * upright.height / upright.width)
            : (width: self.height * upright.width / upright.height, height: self.height)
        return Resampling(
            source: upright, resized: resized, columns: Self.centre(self.width, of: resized.width),
            rows: Self.centre(self.height, of: resized.height), orientation: orientation)
    }

    /// torchvision rounds half of an odd margin to the even neighbour.
    private static func centre(_ kept: Int, of count: Int) -> Range<Int> {
        let margin = count - kept
        let start = margin / 2 + (margin % 4 == 3 ? 1 : 0)
        return start..<start + kept
    }
}
