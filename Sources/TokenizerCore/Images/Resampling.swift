/// Resizes a picture with the antialiased triangle filter and keeps a rectangle of the result; nothing outside it is computed.
///
/// Equal to Pillow's `resize((w, h), BILINEAR)` and `crop` of the upright picture, byte for byte: rows first, rounded to 8 bits, then columns.
/// That order is every Pillow's up to 12; Pillow 13 turns it round for some pictures taller than wide, which can change a byte by one.
///
/// The picture comes as it is stored. Where it must be turned, its columns are the upright rows and are resized first, so that no more than a
/// few of its rows are ever needed, and the small result is turned instead of the picture.
struct Resampling {
    /// Along stored rows, and along stored columns.
    let horizontal: ResamplingWeights
    let vertical: ResamplingWeights
    let orientation: Orientation

    /// - Parameters:
    ///   - source: the upright picture's width and height.
    ///   - resized: the whole resized picture's width and height; never materialised.
    ///   - columns: the kept columns of the resized picture.
    ///   - rows: its kept rows.
    ///   - orientation: how the stored picture must be turned to stand upright.
    init(
        source: (width: Int, height: Int), resized: (width: Int, height: Int), columns: Range<Int>, rows: Range<Int>,
        orientation: Orientation = .upright
    ) {
        let across = ResamplingWeights(sourceCount: source.width, resizedCount: resized.width, range: columns)
        let down = ResamplingWeights(sourceCount: source.height, resizedCount: resized.height, range: rows)
        let (alongRows, alongColumns) = orientation.swapsSides ? (down, across) : (across, down)
        horizontal = orientation.mirrorsRows ? alongRows.mirrored : alongRows
        vertical = orientation.mirrorsColumns ? alongColumns.mirrored : alongColumns
        self.orientation = orientation
    }

    /// - Precondition: `image` is the stored picture, of the size stated as `source` once it is turned.
    func callAsFunction(_ image: RGBImage) -> RGBImage {
        var picture = ResampledPicture(self)
        image.pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<image.height { picture.take(pixels.baseAddress! + y * image.width * 3, at: y) }
        }
        return picture.finished()
    }

    /// The stored columns whose pixels are kept until they are resized, where those are resized first; the resized ones otherwise.
    var keptColumns: Int { orientation.swapsSides ? horizontal.sourceRange.count : horizontal.count }

    /// The most memory that a ``ResampledPicture`` takes: the rows it keeps, those under way, the result as it is and turned, and the weights.
    var bytes: Int {
        let rows = 3 * keptColumns * (vertical.taps + 1)
        return rows + 2 * 3 * horizontal.count * vertical.count + 4 * (horizontal.weights.count + vertical.weights.count)
    }
}

/// A picture that is resized while its stored rows arrive from the top down. Of those, it keeps as many as one resized row draws on.
struct ResampledPicture {
    private let resampling: Resampling
    private let rowBytes: Int
    /// Row `y` lies at `y` modulo the number of rows kept.
    private var kept: [UInt8]
    /// One row that is resized along its columns and not yet along itself.
    private var summed: [UInt8]
    private var result: [UInt8]
    private var resultRows = 0

    init(_ resampling: Resampling) {
        self.resampling = resampling
        rowBytes = 3 * resampling.keptColumns
        kept = [UInt8](repeating: 0, count: rowBytes * resampling.vertical.taps)
        summed = [UInt8](repeating: 0, count: rowBytes)
        result = [UInt8](repeating: 0, count: 3 * resampling.horizontal.count * resampling.vertical.count)
    }

    /// - Parameter row: row `y` of the stored picture, the one below the row before.
    mutating func take(_ row: UnsafePointer<UInt8>, at y: Int) {
        guard resampling.vertical.sourceRange.contains(y) else { return }
        keep(row, at: y)
        while resultRows < resampling.vertical.count, resampling.vertical.end(of: resultRows) <= y + 1 { finishRow() }
    }

    private mutating func keep(_ row: UnsafePointer<UInt8>, at y: Int) {
        let columns = resampling.horizontal
        let place = y % resampling.vertical.taps * rowBytes
        kept.withUnsafeMutableBufferPointer { kept in
            let destination = kept.baseAddress! + place
            if resampling.orientation.swapsSides {
                destination.update(from: row + 3 * columns.sourceRange.lowerBound, count: rowBytes)
            } else {
                columns.resizeRow(row, from: 0, to: destination)
            }
        }
    }

    private mutating func finishRow() {
        let (columns, rows) = (resampling.horizontal, resampling.vertical)
        let (start, isTurned) = (3 * columns.count * resultRows, resampling.orientation.swapsSides)
        result.withUnsafeMutableBufferPointer { result in
            let destination = result.baseAddress! + start
            kept.withUnsafeBufferPointer { kept in
                summed.withUnsafeMutableBufferPointer { summed in
                    rows.sumRows(kept.baseAddress!, rowBytes: rowBytes, at: resultRows, to: isTurned ? summed.baseAddress! : destination)
                    if isTurned { columns.resizeRow(summed.baseAddress!, from: columns.sourceRange.lowerBound, to: destination) }
                }
            }
        }
        resultRows += 1
    }

    /// The upright result, once every row has come.
    func finished() -> RGBImage {
        precondition(resultRows == resampling.vertical.count, "\(resultRows) of \(resampling.vertical.count) rows are resized")
        return RGBImage(width: resampling.horizontal.count, height: resampling.vertical.count, pixels: result).upright(from: resampling.orientation)
    }
}

/// The arithmetic: sums in fixed point, which are the same in any order.
extension ResamplingWeights {
    private static let half = Int32(1) << (fractionBits - 1)

    private static func byte(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(max(sum >> Int32(fractionBits), 0), 255))
    }

    /// A row of pixels, of which the first is the picture's column `first` → the resized row.
    fileprivate func resizeRow(_ source: UnsafePointer<UInt8>, from first: Int, to destination: UnsafeMutablePointer<UInt8>) {
        if let copiedFrom { return destination.update(from: source + (copiedFrom - first) * 3, count: count * 3) }
        weights.withUnsafeBufferPointer { weights in
            for column in 0..<count {
                let weight = weights.baseAddress! + column * taps
                var pixel = source + (starts[column] - first) * 3
                var (red, green, blue) = (Self.half, Self.half, Self.half)
                for tap in 0..<counts[column] {
                    red &+= Int32(pixel[0]) &* weight[tap]
                    green &+= Int32(pixel[1]) &* weight[tap]
                    blue &+= Int32(pixel[2]) &* weight[tap]
                    pixel += 3
                }
                destination[column * 3] = Self.byte(red)
                destination[column * 3 + 1] = Self.byte(green)
                destination[column * 3 + 2] = Self.byte(blue)
            }
        }
    }

    /// Bytes whose sums stay in the nearest cache while row after row is added to them.
    private static let sumsAtOnce = 2_048

    /// The rows that resized position `position` draws on → that one row. Row `y` of the picture lies at `y` modulo ``taps``.
    fileprivate func sumRows(_ rows: UnsafePointer<UInt8>, rowBytes: Int, at position: Int, to destination: UnsafeMutablePointer<UInt8>) {
        if let copiedFrom { return destination.update(from: rows + (copiedFrom + position) % taps * rowBytes, count: rowBytes) }
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.sumsAtOnce) { buffer in
            let sums = buffer.baseAddress!
            for first in stride(from: 0, to: rowBytes, by: Self.sumsAtOnce) {
                let bytes = min(Self.sumsAtOnce, rowBytes - first)
                sums.initialize(repeating: Self.half, count: bytes)
                for tap in 0..<counts[position] {
                    let line = rows + (starts[position] + tap) % taps * rowBytes + first
                    let weight = weights[position * taps + tap]
                    for i in 0..<bytes { sums[i] &+= Int32(line[i]) &* weight }
                }
                for i in 0..<bytes { destination[first + i] = Self.byte(sums[i]) }
            }
        }
    }
}
