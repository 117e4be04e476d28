import Compute
import Files
import Images

/// Random crops for every step of a training run: a function of seed and step, so that a resumed run sees the same ones.
package struct CropSampler: Sendable {
    private let images: SquareImages
    private let places: [Int]
    private let side: Int
    private let scale: Double?
    private let augmentations: [CropAugmentation]
    private let root: RandomSource

    /// - Parameters:
    ///   - places: of the images to crop, among all.
    ///   - side: of a crop, at most the images' own.
    ///   - scale: where crops are cut from whole images: how many times the squares' side the shorter side is resized to at most. Any number
    ///     from 1 to it is as likely.
    ///   - augmentations: what else is done to every crop, one after the other.
    package init(
        _ images: SquareImages, among places: [Int], side: Int, scale: Double? = nil, augmentations: [CropAugmentation] = [], seed: UInt64
    ) {
        precondition(!places.isEmpty && side <= images.size, "no crops of \(side) in \(places.count) images of \(images.size)")
        self.images = images
        self.places = places
        (self.side, self.scale, self.augmentations) = (side, scale, augmentations)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "crops"))
    }

    /// - Parameters:
    ///   - count: how many a step has.
    ///   - own: those of them that are wanted; nil for all.
    /// - Returns: `[own, side, side, 3]` in −1 … 1, each crop mirrored half of the time.
    /// - Throws: when hardly any of the images can be used.
    package func crops(count: Int, step: Int, own: Range<Int>? = nil) throws(FileError) -> Tensor {
        let own = own ?? 0..<count
        var crops = [RGBImage?](repeating: nil, count: own.count)
        crops.withUnsafeMutableBufferPointer { crops in
            let target = crops.baseAddress!
            Workers.forEach(own.count) { target[$0] = crop(UInt64(step * count + own.lowerBound + $0)) }
        }
        let found = crops.compactMap { $0 }
        guard found.count == own.count else {
            throw FileError(path: images.source.path, reason: "\(images.source.path): hardly any of its \(images.count) images can be used")
        }
        return PixelBatch(images: found).pixels
    }

    private func crop(_ number: UInt64) -> RGBImage? {
        var random = root.substream(number)
        for _ in 0..<64 {
            guard let image = images.image(at: places[random.below(places.count)]) else { continue }
            let crop = cut(image, &random)
            return augmentations.reduce(crop) { $1.applied(to: $0, &random) }
        }
        return nil
    }

    private func cut(_ image: RGBImage, _ random: inout RandomSource) -> RGBImage {
        if let scale {
            let isMirrored = random.chance(0.5)
            return square(of: image, scale: 1 + (scale - 1) * Double(random.uniform()), &random).mirrored(if: isMirrored)
        }
        let left = random.below(image.width - side + 1)
        let top = random.below(image.height - side + 1)
        return image.cropped(left: left, top: top, side: side, isMirrored: random.chance(0.5))
    }

    /// - Parameter scale: how many times the squares' side the shorter side is resized to; nothing is enlarged.
    private func square(of image: RGBImage, scale: Double, _ random: inout RandomSource) -> RGBImage {
        let (x, y) = (Double(random.uniform()), Double(random.uniform()))
        return SquarePreprocessor(imageSize: side).square(of: image, scale: scale * Double(images.size) / Double(side), x: x, y: y)
    }
}

extension RGBImage {
    fileprivate func mirrored(if isMirrored: Bool) -> RGBImage {
        isMirrored ? cropped(left: 0, top: 0, side: width, isMirrored: true) : self
    }
}

extension RGBImage {
    /// The square of the given side whose top left pixel is (left, top).
    package func cropped(left: Int, top: Int, side: Int, isMirrored: Bool) -> RGBImage {
        var result: [UInt8] = []
        result.reserveCapacity(side * side * 3)
        for y in top..<top + side {
            for x in 0..<side {
                let source = (y * width + left + (isMirrored ? side - 1 - x : x)) * 3
                result.append(pixels[source])
                result.append(pixels[source + 1])
                result.append(pixels[source + 2])
            }
        }
        return RGBImage(width: side, height: side, pixels: result)
    }
}
