import Compute
import Images

/// What is done to crops besides cutting, scaling and mirroring them, so that pictures are not learned by heart.
package enum CropAugmentation: String, Codable, CaseIterable, Sendable {
    /// Red, green and blue are each multiplied by a number near 1, and a small one is added.
    case colour

    /// How far from 1 a channel is multiplied, and what is added to it at most, of 255.
    private static let (gain, offset): (Float, Float) = (0.1, 12)

    /// - Parameter random: the crop's own.
    func applied(to crop: RGBImage, _ random: inout RandomSource) -> RGBImage {
        switch self {
        case .colour:
            let channels = (0..<3).map { _ in
                let (gain, offset) = (1 + Self.gain * (2 * random.uniform() - 1), Self.offset * (2 * random.uniform() - 1))
                return (0...255).map { UInt8(min(255, max(0, (Float($0) * gain + offset).rounded()))) }
            }
            var pixels = crop.pixels
            for i in pixels.indices { pixels[i] = channels[i % 3][Int(pixels[i])] }
            return RGBImage(width: crop.width, height: crop.height, pixels: pixels)
        }
    }
}
