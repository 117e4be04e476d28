@testable import Images

extension FuzzTarget {
    private static let imageSize = 8
    private static let limits = ImageLimits(maxSide: 512, maxPixels: 1 << 14, maxDecodedBytes: 1 << 22, maxScans: 8)

    /// The square is that of the picture, or both are refused.
    static func runImage(_ bytes: [UInt8]) {
        do throws(ImageError) {
            let header = try ImageHeader.parse(bytes)
            try limits.check(header)
            let picture = result { () throws(ImageError) in try ImageDecoder.decode(bytes, limits: limits) }
            let square = result { () throws(ImageError) in try ImageDecoder.square(bytes[...], header, imageSize: imageSize, limits: limits) }
            precondition(picture.map { SquarePreprocessor(imageSize: imageSize)($0) } == square, "a square that is not the picture's")
            var questions = bytes.count % 8
            _ = result { () throws(ImageError) in
                try ImageDecoder.square(bytes[...], header, imageSize: imageSize, limits: limits) {
                    questions -= 1
                    return questions >= 0
                }
            }
        } catch {
            precondition(!"\(error)".isEmpty)
        }
    }

    /// The file as it is, and as it would be if its author had known the checksums.
    static func runPNG(_ bytes: [UInt8]) {
        runImage(bytes)
        var file = bytes
        var position = 8
        while position + 12 <= file.count {
            let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= file.count - position - 12 else { break }
            let end = position + 8 + length
            let checksum = crc32(file[position + 4..<end])
            for byte in 0..<4 { file[end + byte] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * UInt32(byte))) }
            position = end + 4
        }
        runImage(file)
    }

    private static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
    }

    private static func result<Success>(_ body: () throws(ImageError) -> Success) -> Result<Success, ImageError> {
        do throws(ImageError) {
            return .success(try body())
        } catch {
            return .failure(error)
        }
    }
}
