import Testing

@testable import Images

@Suite struct PNGEncoderTests {
    @Test("What is encoded decodes to the same pixels", arguments: [(1, 1), (3, 2), (64, 64), (257, 31), (1, 300), (5000, 1)])
    func roundTrip(_ width: Int, _ height: Int) throws {
        let image = formulaImage(width: width, height: height)
        #expect(try ImageDecoder.decode(PNGEncoder.encode(image)) == image)
    }

    @Test("Noise, which does not compress, fits too")
    func noise() throws {
        var random = SystemIndependentGenerator(state: 1)
        let image = RGBImage(width: 200, height: 100, pixels: (0..<60_000).map { _ in UInt8.random(in: 0...255, using: &random) })
        let bytes = PNGEncoder.encode(image)
        #expect(bytes.count < 60_000 + 1_000)
        #expect(try ImageDecoder.decode(bytes) == image)
    }
}
