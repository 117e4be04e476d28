import TestSupport
import Testing

@testable import Images

@Suite struct JPEGEncoderTests {
    @Test func whatIsWrittenIsReadAgain() throws {
        let picture = formulaImage(width: 37, height: 20)
        let best = JPEGEncoder.encode(picture, quality: 100)
        let worst = JPEGEncoder.encode(picture, quality: 1)
        #expect(try PeakSignalToNoise.decibels(ImageDecoder.decode(best), picture) > 40)
        #expect(worst.count < best.count)
        #expect(JPEGEncoder.encode(picture, quality: 100) == best)
    }

    @Test func coloursKeepTheirResolution() throws {
        // Two bytes of a frame's component say how it is sampled: 1×1 for all three.
        let bytes = JPEGEncoder.encode(formulaImage(width: 8, height: 8), quality: 90)
        let frame = try #require(bytes.firstRange(of: [0xFF, 0xC0]))
        #expect([11, 14, 17].allSatisfy { bytes[frame.lowerBound + $0] == 0x11 })
    }
}
