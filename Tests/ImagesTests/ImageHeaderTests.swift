import Testing

@testable import Images

@Suite struct ImageHeaderTests {
    @Test("The header states the decoded picture's size", arguments: ImageFixture.files.filter { $0.file != "jpeg_arithmetic.jpg" })
    func size(_ fixture: ImageFixture) throws {
        let header = try ImageHeader.parse(fixture.bytes)
        let upright = header.orientation.swapsSides ? (header.height, header.width) : (header.width, header.height)
        #expect(upright == (fixture.width, fixture.height))
        #expect(header.decodedBytes > fixture.width * fixture.height * 3)
    }

    @Test("The orientation is found in either byte order", arguments: 1...8, ["", "_little_endian"])
    func orientation(_ value: Int, _ suffix: String) throws {
        let header = try ImageHeader.parse(ImageFixture.named("jpeg_orientation_\(value)\(suffix).jpg").bytes)
        #expect(header.orientation.rawValue == value)
    }

    @Test("A malformed EXIF block means upright")
    func malformedExif() {
        let valid: [UInt8] = Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
        #expect(Orientation(exif: valid[...]) == .turnedLeft)
        for length in 0..<20 { #expect(Orientation(exif: valid.prefix(length)) == .upright) }
        var outOfRange = valid
        outOfRange[19] = 9
        #expect(Orientation(exif: outOfRange[...]) == .upright)
        var farDirectory = valid
        farDirectory.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(Orientation(exif: farDirectory[...]) == .upright)
    }

    @Test("Progressive and multi-scan files are charged for their coefficients")
    func coefficients() throws {
        // 45×37 at 4:2:0 is 3×3 units of four luma blocks and one block of each chroma: 54 blocks of 128 bytes.
        let baseline = try ImageHeader.parse(ImageFixture.named("jpeg_420.jpg").bytes)
        let progressive = try ImageHeader.parse(ImageFixture.named("jpeg_progressive.jpg").bytes)
        let separate = try ImageHeader.parse(ImageFixture.named("jpeg_separate_scans.jpg").bytes)
        #expect(progressive.decodedBytes - baseline.decodedBytes == 54 * 128)
        #expect(separate.decodedBytes == progressive.decodedBytes)
    }

    @Test(
        "What is neither PNG nor JPEG is named",
        arguments: [
            (Array("GIF89a".utf8), "the data starts with 47 49 46 38: expected a PNG or JPEG file"),
            ([0], "the data starts with 00: expected a PNG or JPEG file"),
        ])
    func unknownFormat(_ bytes: [UInt8], _ message: String) {
        #expect(throws: ImageError.unsupportedFormat(message)) { try ImageHeader.parse(bytes) }
    }

    @Test("Every error has its own code")
    func codes() {
        #expect(throws: ImageError.empty) { try ImageHeader.parse([]) }
        let errors: [ImageError] = [
            .empty, .unsupportedFormat(""), .truncated(""), .corrupt(""), .tooLarge(""), .outOfMemory(""),
        ]
        #expect(
            errors.map(\.code) == [
                "image_empty", "image_format_unsupported", "image_truncated", "image_corrupt", "image_too_large", "image_out_of_memory",
            ])
        #expect(!ImageError.empty.description.isEmpty)
    }
}
