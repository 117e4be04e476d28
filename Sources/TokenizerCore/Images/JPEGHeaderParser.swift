import Files

/// Reads size, orientation and memory needs from a JPEG file's segments, up to its first scan.
///
/// Source: ITU-T T.81, annex B.
struct JPEGHeaderParser {
    static let signature: [UInt8] = [0xFF, 0xD8]

    private struct Frame {
        var width: Int
        var height: Int
        var isProgressive: Bool
        /// Horizontal and vertical sampling factors, 1…4 each.
        var sampling: [(horizontal: Int, vertical: Int)]
    }

    let file: ByteReader

    func parse() throws(ImageError) -> ImageHeader {
        var frame: Frame?
        var orientation: Orientation?
        var offset = Self.signature.count
        var stepsLeft = Self.maximumSteps
        while true {
            let marker = try nextMarker(&offset, &stepsLeft)
            if marker == 0x01 || (0xD0...0xD7).contains(marker) { continue }
            guard marker != 0xD8, marker != 0xD9 else { throw .corrupt("JPEG: the file ends or restarts before its first scan") }
            guard let length = file.integer(2, at: offset) else { throw truncated }
            guard length >= 2 else { throw .corrupt("JPEG: a segment of \(length) bytes is not valid") }
            guard let segment = file.slice(at: offset + 2, count: length - 2) else { throw truncated }
            offset += length
            switch marker {
            case 0xE1:
                if orientation == nil, ByteReader(segment, .bigEndian).has("Exif\0", at: 0) { orientation = Orientation(exif: segment.dropFirst(6)) }
            case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
                guard frame == nil else { throw .corrupt("JPEG: the file has two frames") }
                frame = try parseFrame(ByteReader(segment, .bigEndian), marker: marker)
            case 0xDA:
                guard let frame else { throw .corrupt("JPEG: a scan comes before the frame's size") }
                return header(frame, componentsInFirstScan: Int(segment.first ?? 0), orientation: orientation ?? .upright)
            default: break
            }
        }
    }

    private var truncated: ImageError { .truncated("JPEG: \(file.count) bytes end inside the header") }

    /// The most markers and bytes between segments before the first scan. Photographs have tens; a file of nothing else would keep the parser busy.
    private static let maximumSteps = 1 << 16

    /// The code of the next marker, which may follow fill bytes; `offset` moves past it.
    private func nextMarker(_ offset: inout Int, _ stepsLeft: inout Int) throws(ImageError) -> Int {
        while true {
            guard stepsLeft > 0 else {
                throw .corrupt("JPEG: more than \(Self.maximumSteps) markers and fill bytes come before the first scan")
            }
            stepsLeft -= 1
            guard let first = file.integer(1, at: offset), let code = file.integer(1, at: offset + 1) else { throw truncated }
            if first == 0xFF, code != 0xFF, code != 0 {
                offset += 2
                return code
            }
            offset += 1
        }
    }

    private func parseFrame(_ segment: ByteReader, marker: Int) throws(ImageError) -> Frame {
        guard marker != 0xC9 && marker != 0xCA else {
            throw .unsupportedFormat("JPEG: arithmetic coding is not supported, a few bytes of it can be a second of work: expected Huffman coding")
        }
        guard [0xC0, 0xC1, 0xC2].contains(marker) else {
            throw .unsupportedFormat("JPEG: coding process SOF\(marker - 0xC0) is not supported: expected baseline or progressive")
        }
        guard let precision = segment.integer(1, at: 0), let height = segment.integer(2, at: 1), let width = segment.integer(2, at: 3),
            let components = segment.integer(1, at: 5), segment.count == 6 + 3 * components
        else { throw .corrupt("JPEG: a frame header of \(segment.count) bytes is not valid") }
        guard precision == 8 else { throw .unsupportedFormat("JPEG: \(precision) bits per sample are not supported: expected 8") }
        guard width > 0, height > 0 else { throw .corrupt("JPEG: a size of \(width)×\(height) pixels is not valid") }
        guard [1, 3, 4].contains(components) else {
            throw .unsupportedFormat("JPEG: \(components) components are not supported: expected 1, 3 or 4")
        }
        var sampling: [(horizontal: Int, vertical: Int)] = []
        for component in 0..<components {
            let factors = segment.integer(1, at: 7 + 3 * component) ?? 0
            guard (1...4).contains(factors >> 4), (1...4).contains(factors & 15) else {
                throw .corrupt("JPEG: sampling factors \(factors >> 4)×\(factors & 15) are not valid: expected 1 to 4")
            }
            sampling.append((factors >> 4, factors & 15))
        }
        return Frame(width: width, height: height, isProgressive: marker == 0xC2, sampling: sampling)
    }

    private func header(_ frame: Frame, componentsInFirstScan: Int, orientation: Orientation) -> ImageHeader {
        let keepsCoefficients = frame.isProgressive || componentsInFirstScan < frame.sampling.count
        return ImageHeader(
            format: .jpeg, width: frame.width, height: frame.height, orientation: orientation,
            codecBytes: Self.tableBytes + Self.rowBytesPerPixel * frame.width + (keepsCoefficients ? coefficientBytes(frame) : 0))
    }

    /// libjpeg's tables and structures.
    private static let tableBytes = 512 << 10
    /// Rows between decoding, upsampling and colour conversion: four components of up to 32 rows, twice, and their context rows.
    private static let rowBytesPerPixel = 320

    /// All components' 8×8 blocks of 16-bit coefficients, padded to whole units of the frame.
    private func coefficientBytes(_ frame: Frame) -> Int {
        let horizontal = frame.sampling.map(\.horizontal).max() ?? 1
        let vertical = frame.sampling.map(\.vertical).max() ?? 1
        let columns = (frame.width + 8 * horizontal - 1) / (8 * horizontal)
        let rows = (frame.height + 8 * vertical - 1) / (8 * vertical)
        return frame.sampling.reduce(0) { $0 + columns * $1.horizontal * rows * $1.vertical * 128 }
    }
}
