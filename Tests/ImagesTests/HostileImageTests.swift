import Testing

@testable import Images

/// Input made to break a decoder: each file is refused in one line or decodes, and nothing else happens.
@Suite struct HostileImageTests {
    private static let small = ImageLimits(maxSide: 256, maxPixels: 1 << 16, maxDecodedBytes: 4 << 20)

    @Test("A file cut off anywhere is refused", arguments: ImageFixture.files)
    func truncation(_ fixture: ImageFixture) {
        let bytes = fixture.bytes
        for length in 0..<bytes.count {
            #expect(throws: ImageError.self, "\(length) of \(bytes.count) bytes") {
                try ImageDecoder.decode(Array(bytes.prefix(length)))
            }
        }
    }

    @Test("A file that ends early says so")
    func truncationIsNamed() {
        for (file, cut) in [("png_c2_d8.png", 12), ("png_c2_d8.png", 100), ("jpeg_420.jpg", 2), ("jpeg_420.jpg", 100), ("jpeg_420.jpg", 900)] {
            let bytes = Array(ImageFixture.named(file).bytes.dropLast(cut))
            let error = #expect(throws: ImageError.self) { try ImageDecoder.decode(bytes) }
            #expect(error?.code == "image_truncated", "\(file): \(String(describing: error))")
        }
    }

    @Test("Damaged bytes are decoded or refused", arguments: ImageFixture.files)
    func corruption(_ fixture: ImageFixture) {
        let bytes = fixture.bytes
        var random = SystemIndependentGenerator(state: UInt64(bytes.count))
        for _ in 0..<150 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? ImageDecoder.decode(damaged, limits: Self.small)
        }
    }

    @Test("Every flipped bit of a PNG is noticed", arguments: ["png_c2_d8.png", "png_c3_d4_interlaced_trns.png"])
    func checksums(_ file: String) {
        let bytes = ImageFixture.named(file).bytes
        for offset in bytes.indices {
            var damaged = bytes
            damaged[offset] ^= 1 << UInt8(offset % 8)
            #expect(throws: ImageError.self, "byte \(offset)") { try ImageDecoder.decode(damaged) }
        }
    }

    @Test("A header that asks for 60000×60000 pixels is refused", arguments: ["png_c2_d8.png", "jpeg_420.jpg", "jpeg_progressive.jpg"])
    func hugeHeader(_ file: String) throws {
        let bytes = resized(ImageFixture.named(file).bytes, to: 60_000)
        let header = try ImageHeader.parse(bytes)
        #expect(header.width == 60_000 && header.height == 60_000)
        #expect(throws: ImageError.tooLarge("the image is 60000×60000 = 3600000000 pixels: at most 64000000 are accepted")) {
            try ImageDecoder.decode(bytes)
        }
        #expect(throws: ImageError.tooLarge("the image is 60000×60000 pixels: a side may be at most 256")) {
            try ImageDecoder.decode(bytes, limits: Self.small)
        }
    }

    @Test("The bytes that decoding needs are limited too")
    func memory() throws {
        let bytes = ImageFixture.named("jpeg_orientation_6.jpg").bytes
        let needed = try ImageHeader.parse(bytes).decodedBytes
        #expect(try ImageDecoder.decode(bytes, limits: ImageLimits(maxDecodedBytes: needed)).width == 13)
        #expect(throws: ImageError.tooLarge("decoding the 21×13 image takes \(needed) bytes: at most \(needed - 1) are allowed")) {
            try ImageDecoder.decode(bytes, limits: ImageLimits(maxDecodedBytes: needed - 1))
        }
    }

    /// What is put together as a whole is limited by its header: the passes of a PNG, the coefficients of a JPEG in several scans. The rest
    /// goes through a few rows at a time.
    @Test(
        "A square's limit is met by what cannot be streamed",
        arguments: [
            ("png_c2_d8.png", false), ("png_c2_d8_interlaced.png", true), ("jpeg_420.jpg", false), ("jpeg_progressive.jpg", true),
            ("jpeg_separate_scans.jpg", true), ("jpeg_orientation_6.jpg", false),
        ])
    func memoryOfSquares(_ file: String, _ isRefused: Bool) throws {
        let header = try ImageHeader.parse(resized(ImageFixture.named(file).bytes, to: 8_000))
        let limits = ImageLimits(maxDecodedBytes: 64 << 20)
        guard isRefused else { return try limits.check(header, forSquaresOf: 256) }
        let needed = header.bytes(forSquaresOf: 256)
        #expect(throws: ImageError.tooLarge("decoding the 8000×8000 image takes \(needed) bytes: at most 67108864 are allowed")) {
            try limits.check(header, forSquaresOf: 256)
        }
    }

    @Test("A second frame of another size does not reach memory of the first")
    func contradictingHeaders() {
        var bytes = ImageFixture.named("jpeg_420.jpg").bytes
        let frame = frameHeader(of: bytes)
        var second = Array(bytes[frame - 4..<frame - 2 + 17])
        second[5] = 0x10
        bytes.insert(contentsOf: second, at: frame - 4)
        #expect(throws: ImageError.corrupt("JPEG: the file has two frames")) { try ImageDecoder.decode(bytes) }
    }

    @Test("Arithmetic coding is refused by the header")
    func arithmetic() {
        let message = "JPEG: arithmetic coding is not supported, a few bytes of it can be a second of work: expected Huffman coding"
        #expect(throws: ImageError.unsupportedFormat(message)) { try ImageHeader.parse(ImageFixture.named("jpeg_arithmetic.jpg").bytes) }
    }

    /// No encoder writes it, and inflating it would take seconds for a megabyte. `make_hostile.py` made these pictures of one pixel.
    @Test(
        "Image data after the last row is refused and not inflated",
        arguments: [
            ("png_64_megabytes_behind_one_pixel.png", "PNG: image data goes on after the last row"),
            ("png_few_bytes_behind_one_pixel.png", "PNG: IDAT: Too much image data"),
        ])
    func dataAfterTheLastRow(_ file: String, _ message: String) {
        #expect(throws: ImageError.corrupt(message)) { try ImageDecoder.decode(ImageFixture.read("hostile/" + file)) }
    }

    @Test("A large JPEG may have fewer scans than a small one")
    func scanPixels() throws {
        let bytes = ImageFixture.named("jpeg_progressive.jpg").bytes
        var limits = ImageLimits()
        limits.maxScanPixels = 45 * 37 * 4
        #expect(throws: ImageError.self) { try ImageDecoder.decode(bytes, limits: limits) }
        limits.maxScanPixels = 45 * 37 * 32
        _ = try ImageDecoder.decode(bytes, limits: limits)
    }

    @Test("A JPEG of very many scans is refused")
    func scans() throws {
        let bytes = ImageFixture.named("jpeg_progressive_grey.jpg").bytes
        #expect(try ImageDecoder.decode(bytes, limits: ImageLimits(maxScans: 6)).width == 45)
        #expect(throws: ImageError.tooLarge("JPEG: 6 scans: at most 5 are accepted")) {
            try ImageDecoder.decode(bytes, limits: ImageLimits(maxScans: 5))
        }
    }

    @Test("A hole in a JPEG's coded data is refused, not painted over", arguments: ["jpeg_420.jpg", "jpeg_restarts.jpg", "jpeg_progressive.jpg"])
    func hole(_ file: String) {
        var bytes = ImageFixture.named(file).bytes
        bytes.removeSubrange(bytes.count - 300..<bytes.count - 100)
        let error = #expect(throws: ImageError.self) { try ImageDecoder.decode(bytes) }
        #expect(error?.code == "image_corrupt", "\(String(describing: error))")
    }

    @Test(
        "Kinds of JPEG that are not decoded say so",
        arguments: [
            (-3, 0xC3 as UInt8, "JPEG: coding process SOF3 is not supported: expected baseline or progressive"),
            (0, 12, "JPEG: 12 bits per sample are not supported: expected 8"),
        ])
    func unsupported(_ offset: Int, _ value: UInt8, _ message: String) {
        var bytes = ImageFixture.named("jpeg_420.jpg").bytes
        bytes[frameHeader(of: bytes) + offset] = value
        #expect(throws: ImageError.unsupportedFormat(message)) { try ImageDecoder.decode(bytes) }
    }

    @Test("A picture without pixels is refused", arguments: ["png_c2_d8.png", "jpeg_420.jpg"])
    func noPixels(_ file: String) {
        let bytes = resized(ImageFixture.named(file).bytes, to: 0)
        let error = #expect(throws: ImageError.self) { try ImageHeader.parse(bytes) }
        #expect(error?.description.hasSuffix("a size of 0×0 pixels is not valid") == true)
    }

    @Test("Millions of empty segments do not keep the header's parser busy")
    func segments() {
        var bytes = ImageFixture.named("jpeg_420.jpg").bytes
        bytes.insert(contentsOf: [[UInt8]](repeating: [0xFF, 0xFE, 0x00, 0x02], count: 70_000).flatMap { $0 }, at: 2)
        #expect(throws: ImageError.corrupt("JPEG: more than 65536 markers and fill bytes come before the first scan")) {
            try ImageHeader.parse(bytes)
        }
    }

    @Test("Hundreds of thousands of empty chunks do not keep anyone busy")
    func chunks() {
        var bytes = ImageFixture.named("png_c2_d8.png").bytes
        let chunk = bigEndian(0) + Array("abCd".utf8)
        bytes.insert(contentsOf: [[UInt8]](repeating: chunk + bigEndian(crc32(Array("abCd".utf8))), count: 70_000).flatMap { $0 }, at: 33)
        #expect(throws: ImageError.corrupt("PNG: the file has more than 65536 chunks")) { try ImageHeader.parse(bytes) }
    }

    @Test("A JPEG of far more coded bytes than its pixels can take is refused; what follows its end does not count")
    func scanBytes() throws {
        var bytes = ImageFixture.named("jpeg_420.jpg").bytes
        bytes.replaceSubrange(bytes.count - 2..<bytes.count, with: [UInt8](repeating: 0, count: 1 << 20) + [0xFF, 0xD9])
        _ = try ImageDecoder.decode(bytes)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 1 << 20))
        _ = try ImageDecoder.decode(bytes)
        bytes.insert(contentsOf: [UInt8](repeating: 0, count: 6 * 45 * 37), at: bytes.count - (1 << 20) - 2)
        let error = #expect(throws: ImageError.self) { try ImageDecoder.decode(bytes) }
        #expect(error?.description.hasSuffix(" bytes of coded data for 45x37 pixels: at most 1058566 are accepted") == true)
    }

    @Test(
        "Whatever follows the end is ignored: phones append films and second pictures",
        arguments: [
            "png_c2_d8.png", "jpeg_420.jpg", "jpeg_progressive.jpg",
        ])
    func trailingBytes(_ file: String) throws {
        let fixture = ImageFixture.named(file)
        let scanMarkers = [[UInt8]](repeating: [0xFF, 0xDA, 0x00, 0x02], count: 100).flatMap { $0 }
        #expect(try ImageDecoder.decode(fixture.bytes + scanMarkers) == fixture.reference)
    }

    @Test("A palette index without a colour is refused")
    func paletteOverrun() {
        var bytes = ImageFixture.named("png_c3_d8.png").bytes
        // Keep the first ten colours only.
        let start = bytes.firstRange(of: Array("PLTE".utf8))!.lowerBound
        let colors = Array(bytes[start..<start + 4 + 30])
        bytes.replaceSubrange(start - 4..<start + 4 + 768 + 4, with: bigEndian(30) + colors + bigEndian(crc32(colors)))
        #expect(throws: ImageError.corrupt("PNG: a pixel names a colour beyond the palette's last")) { try ImageDecoder.decode(bytes) }
    }

    @Test("A palette that only suggests colours is ignored", arguments: ["png_c2_d8_trns.png", "png_c2_d8.png", "png_c6_d8.png"])
    func suggestedPalette(_ file: String) throws {
        let fixture = ImageFixture.named(file)
        var bytes = fixture.bytes
        let palette = Array("PLTE".utf8) + [1, 2, 3, 4, 5, 6]
        bytes.insert(contentsOf: bigEndian(6) + palette + bigEndian(crc32(palette)), at: 33)
        #expect(try ImageDecoder.decode(bytes) == fixture.reference)
    }

    /// The same file with another size in its header.
    private func resized(_ bytes: [UInt8], to side: Int) -> [UInt8] {
        var bytes = bytes
        if bytes[0] == 0x89 {
            bytes.replaceSubrange(16..<24, with: bigEndian(UInt32(side)) + bigEndian(UInt32(side)))
            bytes.replaceSubrange(29..<33, with: bigEndian(crc32(Array(bytes[12..<29]))))
        } else {
            let frame = frameHeader(of: bytes)
            let sideBytes = [UInt8(side >> 8), UInt8(side & 255)]
            bytes.replaceSubrange(frame + 1..<frame + 5, with: sideBytes + sideBytes)
        }
        return bytes
    }

    /// Where a JPEG's SOF segment states its precision, after marker and length.
    private func frameHeader(of bytes: [UInt8]) -> Int {
        let starts = [[0xFF, 0xC0, 0x00, 0x11], [0xFF, 0xC2, 0x00, 0x11]] as [[UInt8]]
        return starts.compactMap { bytes.firstRange(of: $0)?.upperBound }.first!
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    private func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }
}

/// SplitMix64: the same bytes on every machine.
struct SystemIndependentGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
