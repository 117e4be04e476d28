import Compute

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

    /// Whether every row of the result is one stored row, resized along itself at most.
    var keepsRows: Bool { vertical.copiedFrom != nil && !orientation.swapsSides }

    /// The stored columns whose pixels are kept until they are resized, where those are resized first; the resized ones otherwise.
    var keptColumns: Int { orientation.swapsSides ? horizontal.sourceRange.count : horizontal.count }

    /// The most memory that a ``ResampledPicture`` takes: the rows it keeps, those under way, the result as it is and turned, and the weights.
    var bytes: Int {
        let rows = 3 * keptColumns * (vertical.taps + 1)
        let weights = 4 * (horizontal.weights.count + vertical.weights.count) + PixelFilter.bytes(columns: horizontal.count, taps: horizontal.taps)
        return rows + 2 * 3 * horizontal.count * vertical.count + weights
    }
}

/// A picture that is resized while its stored rows arrive from the top down. Of those, it keeps as many as one resized row draws on.
struct ResampledPicture {
    private let resampling: Resampling
    private let filter = ByteFilter()
    private let rowFilter: PixelFilter
    private let rowBytes: Int
    /// Row `y` lies at `y` modulo the number of rows kept.
    private var kept: [UInt8]
    /// One row that is resized along its columns and not yet along itself.
    private var summed: [UInt8]
    private var result: [UInt8]
    private var resultRows = 0

    init(_ resampling: Resampling) {
        self.resampling = resampling
        rowFilter = resampling.horizontal.rowFilter
        rowBytes = 3 * resampling.keptColumns
        kept = [UInt8](repeating: 0, count: rowBytes * resampling.vertical.taps)
        summed = [UInt8](repeating: 0, count: rowBytes)
        result = [UInt8](repeating: 0, count: 3 * resampling.horizontal.count * resampling.vertical.count)
    }

    /// - Parameter row: row `y` of the stored picture, the one below the row before.
    mutating func take(_ row: UnsafePointer<UInt8>, at y: Int) {
        guard resampling.vertical.sourceRange.contains(y) else { return }
        guard !resampling.keepsRows else { return finishRow(row) }
        keep(row, at: y)
        while resultRows < resampling.vertical.count, resampling.vertical.end(of: resultRows) <= y + 1 { finishRow() }
    }

    private mutating func keep(_ row: UnsafePointer<UInt8>, at y: Int) {
        let place = y % resampling.vertical.taps * rowBytes
        kept.withUnsafeMutableBufferPointer { kept in
            let destination = kept.baseAddress! + place
            if resampling.orientation.swapsSides {
                destination.update(from: row + 3 * resampling.horizontal.sourceRange.lowerBound, count: rowBytes)
            } else {
                resampling.horizontal.resizeRow(row, from: 0, by: rowFilter, to: destination)
            }
        }
    }

    /// A row that is not resized along its columns.
    private mutating func finishRow(_ row: UnsafePointer<UInt8>) {
        let start = 3 * resampling.horizontal.count * resultRows
        result.withUnsafeMutableBufferPointer { result in
            resampling.horizontal.resizeRow(row, from: 0, by: rowFilter, to: result.baseAddress! + start)
        }
        resultRows += 1
    }

    private mutating func finishRow() {
        let (start, isTurned) = (3 * resampling.horizontal.count * resultRows, resampling.orientation.swapsSides)
        result.withUnsafeMutableBufferPointer { result in
            let destination = result.baseAddress! + start
            kept.withUnsafeBufferPointer { kept in
                summed.withUnsafeMutableBufferPointer { summed in
                    let row = isTurned ? summed.baseAddress! : destination
                    resampling.vertical.sumRows(kept.baseAddress!, rowBytes: rowBytes, at: resultRows, by: filter, to: row)
                    guard isTurned else { return }
                    resampling.horizontal.resizeRow(row, from: resampling.horizontal.sourceRange.lowerBound, by: rowFilter, to: destination)
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

extension ResamplingWeights {
    fileprivate var rowFilter: PixelFilter { PixelFilter(starts: starts, counts: counts, weights: weights, taps: taps) }

    /// A row of pixels, of which the first is the picture's column `first` → the resized row.
    fileprivate func resizeRow(
        _ source: UnsafePointer<UInt8>, from first: Int, by filter: PixelFilter, to destination: UnsafeMutablePointer<UInt8>
    ) {
        if let copiedFrom { return destination.update(from: source + (copiedFrom - first) * 3, count: count * 3) }
        filter.resize(source - 3 * first, to: destination)
    }

    /// The rows that resized position `position` draws on → that one row. Row `y` of the picture lies at `y` modulo ``taps``.
    fileprivate func sumRows(
        _ rows: UnsafePointer<UInt8>, rowBytes: Int, at position: Int, by filter: ByteFilter, to destination: UnsafeMutablePointer<UInt8>
    ) {
        if let copiedFrom { return destination.update(from: rows + (copiedFrom + position) % taps * rowBytes, count: rowBytes) }
        weights.withUnsafeBufferPointer { weights in
            let own = UnsafeBufferPointer(rebasing: weights[position * taps..<position * taps + counts[position]])
            filter.sum(rows, rowBytes: rowBytes, ring: taps, first: starts[position] % taps, weights: own, to: destination)
        }
    }
}
