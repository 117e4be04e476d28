import TestSupport
import Testing

@testable import Compute
@testable import Images
@testable import Pictures

@Suite struct CropAugmentationTests {
    @Test func coloursChangeLittleAndTogether() {
        let crop = RGBImage(width: 16, height: 16, pixels: (0..<256).flatMap { [UInt8($0), UInt8($0), UInt8($0)] })
        var random = RandomSource(seed: 5, stream: 1)
        let changed = CropAugmentation.colour.applied(to: crop, &random)
        #expect(changed.pixels != crop.pixels)
        for channel in 0..<3 {
            let values = (0..<256).map { Int(changed.pixels[$0 * 3 + channel]) }
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }, "brighter stays brighter")
            #expect(values.enumerated().allSatisfy { abs($0.element - $0.offset) <= 38 })
        }
        var again = RandomSource(seed: 5, stream: 1)
        #expect(CropAugmentation.colour.applied(to: crop, &again).pixels == changed.pixels)
    }

    /// It is the same cut, whatever is done to it.
    @Test func cropsAreTheSameButForTheirColours() throws {
        try withScratchFolder { folder in
            let images = SquareImages(try ImageSource(TinyTraining.pictures(in: folder)), size: 24)
            func crops(_ augmentations: [CropAugmentation]) throws -> [Float] {
                try CropSampler(images, among: Array(0..<6), side: 8, augmentations: augmentations, seed: 1).crops(count: 5, step: 3).values
            }
            let (plain, coloured, again) = (try crops([]), try crops([.colour]), try crops([.colour]))
            #expect(plain != coloured && coloured == again)
            #expect(zip(plain, coloured).allSatisfy { abs($0 - $1) < 38 / 127.5 + 0.01 })
        }
    }
}
