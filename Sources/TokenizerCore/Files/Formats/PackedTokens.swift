/// Tokens of images in as few bits as their codebook needs, with whose they are and a checksum.
///
///     4 bytes   RVQT
///     1 byte    1, the version of this layout
///     1 byte    bits of a token, 1…32
///     2 bytes   how many bytes the fingerprint has
///     4 bytes   how many images
///     4 bytes   how many tokens each has
///     …         the fingerprint, ASCII
///     …         the tokens one after the other, the lowest bit first; what is left of the last byte is zero
///     4 bytes   CRC-32 (IEEE) of all that precedes it
///
/// Numbers are little-endian.
package struct PackedTokens: Sendable, Equatable {
    /// What is wrong with the bytes, in one line.
    package struct FormatError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package static let magic = Array("RVQT".utf8)
    private static let version: UInt8 = 1
    private static let headerBytes = 16

    /// Bits that each token is given.
    package let bits: Int
    package let fingerprint: String
    /// The tokens of one image after those of the other.
    package let values: [Int32]
    package let tokensPerImage: Int

    /// - Precondition: the values are in `0 ..< codebookSize` and fill their images, and the fingerprint has at most 65,535 bytes.
    package init(_ values: [Int32], tokensPerImage: Int, codebookSize: Int, fingerprint: String) {
        precondition(tokensPerImage > 0 && values.count % tokensPerImage == 0, "\(values.count) tokens are not \(tokensPerImage) an image")
        bits = max(1, Int.bitWidth - (codebookSize - 1).leadingZeroBitCount)
        (self.values, self.tokensPerImage, self.fingerprint) = (values, tokensPerImage, fingerprint)
    }

    /// - Parameter maximumCount: of tokens; more are refused before they are read.
    package init(parsing bytes: [UInt8], maximumCount: Int) throws(FormatError) {
        guard bytes.starts(with: Self.magic), bytes.count >= Self.headerBytes + 4 else {
            throw FormatError(description: "not packed tokens: they begin with RVQT and have at least \(Self.headerBytes + 4) bytes")
        }
        guard bytes[4] == Self.version else { throw FormatError(description: "packed tokens of version \(bytes[4]) are not known; expected 1") }
        bits = Int(bytes[5])
        guard (1...32).contains(bits) else { throw FormatError(description: "packed tokens have 1 to 32 bits each, got \(bits)") }
        let (nameBytes, images) = (Int(bytes[6]) | Int(bytes[7]) << 8, Self.number(bytes, at: 8))
        tokensPerImage = Self.number(bytes, at: 12)
        let (count, overflow) = images.multipliedReportingOverflow(by: tokensPerImage)
        guard !overflow, count <= maximumCount else {
            throw FormatError(description: "\(images) images of \(tokensPerImage) tokens are more than \(maximumCount) tokens")
        }
        let start = Self.headerBytes + nameBytes
        let expected = start + (count * bits + 7) / 8 + 4
        guard bytes.count == expected else {
            throw FormatError(description: "packed tokens of \(images)×\(tokensPerImage) have \(expected) bytes, got \(bytes.count)")
        }
        guard CRC32.zip.checksum(bytes.dropLast(4)) == UInt32(Self.number(bytes, at: expected - 4)) else {
            throw FormatError(description: "the checksum of the packed tokens is not that of their bytes")
        }
        let name = bytes[Self.headerBytes..<start]
        guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw FormatError(description: "the fingerprint of the packed tokens is not ASCII") }
        fingerprint = String(decoding: name, as: UTF8.self)
        values = try Self.unpack(bytes[start..<expected - 4], count: count, bits: bits)
    }

    package func serialized() -> [UInt8] {
        let images = values.count / tokensPerImage
        var bytes = Self.magic + [Self.version, UInt8(bits)]
        bytes += [UInt8(fingerprint.utf8.count & 255), UInt8(fingerprint.utf8.count >> 8)]
        for number in [images, tokensPerImage] { bytes += Self.bytes(of: UInt32(number)) }
        bytes += fingerprint.utf8
        bytes.reserveCapacity(bytes.count + (values.count * bits + 7) / 8 + 4)
        var (window, filled): (UInt64, Int) = (0, 0)
        for value in values {
            window |= UInt64(UInt32(bitPattern: value)) << UInt64(filled)
            filled += bits
            while filled >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: window))
                (window, filled) = (window >> 8, filled - 8)
            }
        }
        if filled > 0 { bytes.append(UInt8(truncatingIfNeeded: window)) }
        return bytes + Self.bytes(of: CRC32.zip.checksum(bytes))
    }

    private static func unpack(_ bytes: ArraySlice<UInt8>, count: Int, bits: Int) throws(FormatError) -> [Int32] {
        var (window, filled, position): (UInt64, Int, Int) = (0, 0, bytes.startIndex)
        var values: [Int32] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            while filled < bits {
                window |= UInt64(bytes[position]) << UInt64(filled)
                (filled, position) = (filled + 8, position + 1)
            }
            values.append(Int32(truncatingIfNeeded: window & (1 << UInt64(bits) - 1)))
            (window, filled) = (window >> UInt64(bits), filled - bits)
        }
        guard window == 0 else { throw FormatError(description: "the last byte of the packed tokens has bits that belong to none") }
        return values
    }

    private static func number(_ bytes: [UInt8], at index: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[index + $1]) << (8 * $1) }
    }

    private static func bytes(of number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
