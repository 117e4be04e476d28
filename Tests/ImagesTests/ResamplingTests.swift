import TestSupport
import Testing

@testable import Images

@Suite struct ResamplingTests {
    @Test("Resizing up, down and to odd sizes equals Pillow", arguments: ImageFixture.all(.resize))
    func resize(_ fixture: ImageFixture) {
        let source = formulaImage(width: fixture.source![0], height: fixture.source![1])
        let resampling = Resampling(
            source: (source.width, source.height), resized: (fixture.width, fixture.height),
            columns: 0..<fixture.width, rows: 0..<fixture.height)
        #expect(resampling(source) == fixture.reference)
    }

    @Test("The square equals torchvision's resize and centre crop on a PIL image", arguments: ImageFixture.all(.square))
    func square(_ fixture: ImageFixture) {
        let source = formulaImage(width: fixture.source![0], height: fixture.source![1])
        #expect(SquarePreprocessor(imageSize: fixture.width)(source) == fixture.reference)
    }

    @Test("A crop is cut from the whole resized picture")
    func crop() {
        let source = formulaImage(width: 41, height: 30)
        let whole = Resampling(source: (41, 30), resized: (70, 20), columns: 0..<70, rows: 0..<20)(source)
        let part = Resampling(source: (41, 30), resized: (70, 20), columns: 13..<38, rows: 4..<9)(source)
        let expected = (4..<9).flatMap { row in
            let start = (row * 70 + 13) * 3
            return whole.pixels[start..<start + 25 * 3]
        }
        #expect(part == RGBImage(width: 25, height: 5, pixels: expected))
    }

    @Test(
        "A picture that has its size already is kept as it is, whichever way it is stored", arguments: Orientation.allCases,
        [(9, 9), (14, 9), (9, 14)])
    func kept(_ orientation: Orientation, _ size: (width: Int, height: Int)) {
        let stored = formulaImage(width: size.width, height: size.height)
        let upright = stored.upright(from: orientation)
        let (left, top) = ((upright.width - 9) / 2, (upright.height - 9) / 2)
        let expected: [UInt8] = (top..<top + 9).flatMap { row -> ArraySlice<UInt8> in
            let start: Int = 3 * (row * upright.width + left)
            return upright.pixels[start..<start + 27]
        }
        let resampling = SquarePreprocessor(imageSize: 9).resampling(width: size.width, height: size.height, orientation: orientation)
        #expect(resampling(stored) == RGBImage(width: 9, height: 9, pixels: expected))
    }

    @Test("The longest strips cost no more than their centre", arguments: [(1, 60_000), (60_000, 1)])
    func strip(_ width: Int, _ height: Int) {
        let strip = RGBImage(width: width, height: height, pixels: [UInt8](repeating: 77, count: width * height * 3))
        let square = SquarePreprocessor(imageSize: 256)(strip)
        #expect(square == RGBImage(width: 256, height: 256, pixels: [UInt8](repeating: 77, count: 256 * 256 * 3)))
    }

    @Test(
        "A stored picture that must be turned makes the square of the turned picture", arguments: Orientation.allCases,
        [(1, 1), (1, 7), (7, 1), (40, 31), (31, 40), (300, 5), (5, 300), (97, 96), (64, 150)])
    func turned(_ orientation: Orientation, _ size: (width: Int, height: Int)) {
        var random = TestRandom(seed: UInt64(size.width * 1_000 + size.height))
        let pixels = (0..<size.width * size.height * 3).map { _ in UInt8(random.below(256)) }
        let stored = RGBImage(width: size.width, height: size.height, pixels: pixels)
        for imageSize in [1, 8, 33, 100] {
            let preprocessor = SquarePreprocessor(imageSize: imageSize)
            let resampling = preprocessor.resampling(width: size.width, height: size.height, orientation: orientation)
            #expect(resampling(stored) == preprocessor(stored.upright(from: orientation)), "to \(imageSize) pixels")
        }
    }

    @Test("A square takes a few rows of memory, whichever way the picture is turned", arguments: Orientation.allCases)
    func memory(_ orientation: Orientation) {
        for (width, height) in [(8_000, 8_000), (65_535, 976), (976, 65_535), (1, 64_000_000), (64_000_000, 1)] {
            let resampling = SquarePreprocessor(imageSize: 256).resampling(width: width, height: height, orientation: orientation)
            #expect(resampling.bytes < 4 << 20, "\(width)×\(height)")
        }
    }
}
