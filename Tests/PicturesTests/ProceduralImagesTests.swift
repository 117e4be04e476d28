import Testing

@testable import Pictures

@Suite struct ProceduralImagesTests {
    @Test func picturesAreFixedByTheSeed() {
        let images = ProceduralImages(seed: 11, side: 64)
        #expect(images.image(at: 3) == ProceduralImages(seed: 11, side: 64).image(at: 3))
        #expect(images.image(at: 3) != images.image(at: 4))
        #expect(images.image(at: 3) != ProceduralImages(seed: 12, side: 64).image(at: 3))
    }

    /// Bytes recorded when the generation was made: whoever changes them raises ``ProceduralImages/generation``.
    @Test func picturesOfAGenerationNeverChange() {
        let images = ProceduralImages(seed: 1, side: 96)
        let sums = (0..<12).map { images.image(at: $0).pixels.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 } }
        #expect(ProceduralImages.generation == 1)
        #expect(sums == Self.recordedSums)
    }

    @Test func everySizeHasItsPicture() {
        for side in [32, 100, 257, 384] {
            let image = ProceduralImages(seed: 0, side: side).image(at: 0)
            #expect(image.width == side && image.height == side)
        }
    }

    /// Photographs have a mean luma near 0.42 and a deviation near 0.22; a set of pictures far from that trains a poor model.
    @Test func lightAndContrastAreThoseOfPhotographs() {
        let images = ProceduralImages(seed: 5, side: 128)
        var mean: Double = 0
        var deviation: Double = 0
        for index in 0..<24 {
            let luma = images.image(at: index).pixels.map { Double($0) / 255 }
            let average = luma.reduce(0, +) / Double(luma.count)
            mean += average / 24
            deviation += (luma.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(luma.count)).squareRoot() / 24
        }
        #expect((0.33...0.53).contains(mean))
        #expect((0.15...0.3).contains(deviation))
    }

    private static let recordedSums: [UInt32] = [
        1_184_042_637, 472_336_805, 706_288_187, 1_483_041_922, 170_674_899, 3_191_785_278,
        585_521_355, 2_742_127_766, 2_779_214_587, 3_186_292_454, 2_902_986_164, 4_242_437_809,
    ]
}
