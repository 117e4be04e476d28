/// A picture of any size → one of which nothing is cut off, and whose sides are multiples of ``step``.
///
/// The shorter side is resized to ``shorterSide`` (antialiased bilinear), the longer one to the multiple of the step that is nearest to its
/// proportion: what is wide or tall is stretched by at most half a step.
package struct WholePreprocessor: Sendable, Hashable {
    /// In pixels.
    package let shorterSide, step: Int
    /// What a longer side may become, in pixels.
    package static let longestSide = 16_384

    /// - Precondition: the shorter side is a positive multiple of the step.
    package init(shorterSide: Int, step: Int) {
        precondition(step > 0 && shorterSide > 0 && shorterSide % step == 0, "a side of \(shorterSide) is no multiple of \(step)")
        (self.shorterSide, self.step) = (shorterSide, step)
    }

    /// How the result comes from the picture.
    /// - Throws: when one side is so much longer than the other that it would exceed ``longestSide``.
    func resampling(of header: ImageHeader) throws(ImageError) -> Resampling {
        let (width, height) = (header.width, header.height)
        let upright = header.orientation.swapsSides ? (width: height, height: width) : (width: width, height: height)
        let shorter = min(width, height)
        let longer = max(1, (max(width, height) * shorterSide + shorter * step / 2) / (shorter * step)) * step
        guard longer <= Self.longestSide else {
            throw .tooLarge(
                "the \(upright.width)×\(upright.height) image would become \(longer) pixels long: at most \(Self.longestSide) are possible")
        }
        let resized = upright.width <= upright.height ? (width: shorterSide, height: longer) : (width: longer, height: shorterSide)
        return Resampling(
            source: upright, resized: resized, columns: 0..<resized.width, rows: 0..<resized.height, orientation: header.orientation)
    }
}
