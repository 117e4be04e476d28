import Testing

@testable import Images

@Suite struct WholePreprocessorTests {
    private func result(_ width: Int, _ height: Int, _ shorterSide: Int, step: Int) throws -> RGBImage {
        let png = PNGEncoder.encode(formulaImage(width: width, height: height))
        let whole = WholePreprocessor(shorterSide: shorterSide, step: step)
        return try ImageDecoder.whole(png[...], ImageHeader.parse(png), whole, limits: ImageLimits())
    }

    @Test(arguments: [
        (100, 100, 64, 64), (300, 200, 96, 64), (200, 310, 64, 96), (200, 300, 128, 192), (40, 30, 96, 64), (65, 64, 64, 64),
    ])
    func theLongerSideIsTheNearestMultiple(width: Int, height: Int, newWidth: Int, newHeight: Int) throws {
        let image = try result(width, height, min(newWidth, newHeight), step: 32)
        #expect((image.width, image.height) == (newWidth, newHeight))
    }

    @Test func aPictureThatFitsIsKeptAsItIs() throws {
        #expect(try result(96, 64, 64, step: 32) == formulaImage(width: 96, height: 64))
    }

    @Test func nothingIsCutOff() throws {
        let whole = Resampling(source: (300, 200), resized: (96, 64), columns: 0..<96, rows: 0..<64)(formulaImage(width: 300, height: 200))
        #expect(try result(300, 200, 64, step: 32) == whole)
    }

    @Test func aPictureThatWouldBeTooLongIsRefused() {
        let reason = "the 1200×2 image would become 38400 pixels long: at most 16384 are possible"
        #expect(throws: ImageError.tooLarge(reason)) { try result(1200, 2, 64, step: 32) }
    }
}
