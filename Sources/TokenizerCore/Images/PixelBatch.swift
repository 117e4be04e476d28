import Compute

/// Pictures of one size as the models see them: `[n, h, w, 3]` floats in −1…1, red first.
///
/// A byte p stands for p / 127.5 − 1, so 0 is −1 and 255 is 1.
package struct PixelBatch: Sendable {
    /// `[n, h, w, 3]`.
    package let pixels: Tensor

    package var count: Int { pixels.n }

    /// - Precondition: `pixels` is `[n, h, w, 3]`.
    package init(_ pixels: Tensor) {
        precondition(pixels.shape.count == 4 && pixels.c == 3, "pixels are [n, h, w, 3], got \(pixels.shape)")
        self.pixels = pixels
    }

    /// - Precondition: there is at least one image, and all have the same size.
    package init(images: [RGBImage]) {
        precondition(!images.isEmpty, "a batch has at least one image")
        let (width, height) = (images[0].width, images[0].height)
        var pixels = Tensor(uninitialized: [images.count, height, width, 3])
        pixels.withMutablePointer { destination in
            for (index, image) in images.enumerated() {
                precondition(
                    image.width == width && image.height == height,
                    "a batch of \(width)×\(height) images cannot hold one of \(image.width)×\(image.height)")
                PixelLevels.centre(image.pixels, into: destination + index * image.pixels.count)
            }
        }
        self.init(pixels)
    }

    /// The pictures again: values are clamped to −1…1 and rounded to the nearest byte. NaN becomes 0.
    package func images() -> [RGBImage] {
        let (width, height) = (pixels.w, pixels.h)
        let bytesPerImage = height * width * 3
        return pixels.withPointer { source in
            (0..<count).map { index in
                let start = source + index * bytesPerImage
                let bytes = [UInt8](unsafeUninitializedCapacity: bytesPerImage) { bytes, count in
                    let destination = bytes.baseAddress!
                    for i in 0..<bytesPerImage { destination[i] = Self.byte(start[i]) }
                    count = bytesPerImage
                }
                return RGBImage(width: width, height: height, pixels: bytes)
            }
        }
    }

    /// Adding 2²³ leaves the nearest integer in a float's low bits, which vectorises where a conversion does not.
    private static func byte(_ value: Float) -> UInt8 {
        let level = min(max(0, value * 127.5 + 127.5), 255)
        return UInt8(truncatingIfNeeded: (level + 0x1p23).bitPattern)
    }
}
