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

    @Test("The longest strips cost no more than their centre", arguments: [(1, 60_000), (60_000, 1)])
    func strip(_ width: Int, _ height: Int) {
        let strip = RGBImage(width: width, height: height, pixels: [UInt8](repeating: 77, count: width * height * 3))
        let square = SquarePreprocessor(imageSize: 256)(strip)
        #expect(square == RGBImage(width: 256, height: 256, pixels: [UInt8](repeating: 77, count: 256 * 256 * 3)))
    }
}
