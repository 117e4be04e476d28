import TestSupport
import Testing

@testable import Images

@Suite struct CentrePreprocessorTests {
    private func picture(_ width: Int, _ height: Int) -> RGBImage {
        var random = TestRandom(seed: UInt64(width * 1_000 + height))
        return RGBImage(width: width, height: height, pixels: (0..<3 * width * height).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    private static let sources = [(50, 40), (40, 50), (33, 77), (200, 3), (3, 200), (1, 1), (24, 36)]

    /// A square is that of ``SquarePreprocessor``.
    @Test(arguments: sources, [1, 7, 32, 45])
    func ofASquareItIsTheSquare(source: (Int, Int), side: Int) throws {
        let picture = picture(source.0, source.1)
        let resampling = CentrePreprocessor(width: side, height: side).resampling(width: picture.width, height: picture.height)
        #expect(resampling(picture) == SquarePreprocessor(imageSize: side)(picture))
    }

    /// The picture in its proportions, of which the centre is kept: one side whole, of the other as much is missing before as behind it.
    @Test(arguments: sources, [(24, 36), (36, 24), (8, 64)])
    func itIsTheCentreOfTheSmallestThatCovers(source: (Int, Int), size: (Int, Int)) throws {
        let ((width, height), picture) = (size, picture(source.0, source.1))
        let centre = CentrePreprocessor(width: width, height: height).resampling(width: picture.width, height: picture.height)(picture)
        #expect(centre.width == width && centre.height == height)
        let scale = max(Double(width) / Double(picture.width), Double(height) / Double(picture.height))
        let covers = (max(width, Int(Double(picture.width) * scale + 1e-9)), max(height, Int(Double(picture.height) * scale + 1e-9)))
        #expect(covers.0 == width || covers.1 == height)
        let whole = Resampling(source: (picture.width, picture.height), resized: covers, columns: 0..<covers.0, rows: 0..<covers.1)(picture)
        let (left, top) = (Self.half(covers.0 - width), Self.half(covers.1 - height))
        var kept: [UInt8] = []
        for y in top..<top + height {
            let start = 3 * (y * covers.0 + left)
            kept += whole.pixels[start..<start + 3 * width]
        }
        #expect(centre.pixels == kept)
    }

    private static func half(_ margin: Int) -> Int { Int((Double(margin) / 2).rounded(.toNearestOrEven)) }

    @Test(arguments: ["png_c2_d8.png", "jpeg_420.jpg", "png_c2_d8_interlaced.png"])
    func rowsThatComeOneByOneMakeTheSame(file: String) throws {
        let bytes = ImageFixture.named(file).bytes
        let (header, centre) = (try ImageHeader.parse(bytes), CentrePreprocessor(width: 20, height: 9))
        let picture = try ImageDecoder.decode(bytes)
        let expected = centre.resampling(width: picture.width, height: picture.height)(picture)
        #expect(try ImageDecoder.centre(bytes[...], header, centre, limits: ImageLimits()) == expected)
    }
}
