import Testing

@testable import Files
@testable import Images

@Suite struct ImageDecoderTests {
    @Test("Every PNG layout decodes to its reference pixels", arguments: ImageFixture.all(.png))
    func png(_ fixture: ImageFixture) throws {
        #expect(try ImageDecoder.decode(fixture.bytes) == fixture.reference)
    }

    /// The references come from the libjpeg-turbo inside Pillow (3.x), the tests run with Debian's (2.1): the accurate inverse DCT and the
    /// colour conversion are the same in both; only the upsampling of vertically halved chroma (4:4:0) may round differently.
    @Test("Every JPEG kind decodes to Pillow's pixels", arguments: ImageFixture.all(.jpeg).filter { $0.file != "jpeg_arithmetic.jpg" })
    func jpeg(_ fixture: ImageFixture) throws {
        let image = try ImageDecoder.decode(fixture.bytes)
        let reference = fixture.reference
        #expect(image.width == reference.width && image.height == reference.height)
        let worst = zip(image.pixels, reference.pixels).map { abs(Int($0) - Int($1)) }.max()
        #expect(worst == 0)
    }

    @Test("Alpha shows the stated background")
    func background() throws {
        let bytes = ImageFixture.named("png_c3_d1_trns.png").bytes
        let onWhite = try ImageDecoder.decode(bytes)
        let onGreen = try ImageDecoder.decode(bytes, background: SIMD3(0, 200, 0))
        // Palette entry 0 is (11, 48, 85) and wholly transparent, entry 1 opaque.
        #expect(Set(pixels(of: onWhite)) == [[255, 255, 255], [122, 159, 196]])
        #expect(Set(pixels(of: onGreen)) == [[0, 200, 0], [122, 159, 196]])
    }

    private func pixels(of image: RGBImage) -> [[UInt8]] {
        stride(from: 0, to: image.pixels.count, by: 3).map { Array(image.pixels[$0..<$0 + 3]) }
    }

    @Test("Rows that go straight into the resampler make the same square", arguments: ImageFixture.files, [7, 32, 45])
    func squareOfRows(_ fixture: ImageFixture, _ size: Int) throws {
        guard fixture.file != "jpeg_arithmetic.jpg" else { return }
        let header = try ImageHeader.parse(fixture.bytes)
        let square = try ImageDecoder.square(fixture.bytes[...], header, imageSize: size, limits: ImageLimits())
        #expect(square == SquarePreprocessor(imageSize: size)(try ImageDecoder.decode(fixture.bytes)))
    }

    @Test(
        "Decoding ends where nobody wants it any more",
        arguments: ["png_c2_d8.png", "png_c2_d8_interlaced.png", "jpeg_progressive.jpg", "jpeg_420.jpg"])
    func stops(_ file: String) throws {
        let bytes = ImageFixture.named(file).bytes
        let header = try ImageHeader.parse(bytes)
        var asked = 0
        #expect(throws: ImageError.stopped) {
            _ = try ImageDecoder.square(bytes[...], header, imageSize: 8, limits: ImageLimits()) {
                asked += 1
                return asked < 2
            }
        }
        #expect(asked == 2)
    }
}

/// A fraction of a large JPEG, for learning alone.
@Suite struct ReducedDecodingTests {
    @Test(arguments: [(400, 1), (300, 1), (150, 2), (75, 4), (37, 8), (1, 8)])
    func aLargeJPEGIsDecodedAtAFraction(side: Int, reduction: Int) throws {
        let bytes = try StoredFile.read(Self.photograph)
        let whole = try ImageDecoder.decode(bytes)
        let reduced = try ImageDecoder.decode(bytes, reducedTo: side)
        #expect(reduced.width == (whole.width + reduction - 1) / reduction && reduced.height == (whole.height + reduction - 1) / reduction)
        #expect(reduction > 1 || reduced == whole)
        let preprocessor = SquarePreprocessor(imageSize: 32)
        #expect(PeakSignalToNoise.decibels(preprocessor(reduced), preprocessor(whole)) > (reduction > 4 ? 25 : 30))
    }

    @Test func aPNGIsDecodedAsAWhole() throws {
        let picture = RGBImage(width: 64, height: 64, pixels: (0..<64 * 64 * 3).map { UInt8(truncatingIfNeeded: $0) })
        #expect(try ImageDecoder.decode(picture.png, reducedTo: 2) == picture)
    }

    private static let photograph = "\(#filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" })/Photographs/chelsea.jpg"
}
