import Compute
import Images
import TokenizerCore

/// Which squares of a picture become latents.
package struct CropPlan: Codable, Equatable, Sendable {
    /// At each of ``scales``.
    package let crops: Int
    /// How many times the side of a square the picture's shorter side is resized to first; each at least 1.
    package let scales: [Double]

    /// The one square that a server makes of a picture.
    package static let centre = CropPlan(crops: 1, scales: [1])

    package init(crops: Int, scales: [Double]) {
        (self.crops, self.scales) = (crops, scales)
    }

    package var squaresPerPicture: Int { crops * scales.count }

    private static let mostSquares = 256
    private static let largestScale = 64.0

    /// What is impossible about the numbers, if anything, named as options of `extract`.
    var problem: String? {
        if !(1...Self.mostSquares).contains(crops) { return "--crops is in 1...\(Self.mostSquares), not \(crops)" }
        if let scale = scales.first(where: { !(1...Self.largestScale).contains($0) }) { return "--scales are in 1...64, not \(scale)" }
        guard !scales.isEmpty, Set(scales).count == scales.count else { return "--scales names each scale once, and one at least" }
        return squaresPerPicture <= Self.mostSquares
            ? nil : "--crops \(crops) at \(scales.count) scales are \(squaresPerPicture) squares of a picture: at most \(Self.mostSquares)"
    }

    /// The squares, scale by scale. Where they lie follows from the picture's contents.
    func squares(of image: RGBImage, _ key: PictureKey, size: Int) -> [RGBImage] {
        let preprocessor = SquarePreprocessor(imageSize: size)
        guard self != .centre else { return [preprocessor(image)] }
        var random = RandomSource(seed: 0, stream: RandomSource.stream(named: "squares \(key.digits)"))
        return scales.flatMap { scale in
            (0..<crops).map { _ in
                let (x, y) = (Double(random.uniform()), Double(random.uniform()))
                return preprocessor.square(of: image, scale: scale, x: x, y: y)
            }
        }
    }
}
