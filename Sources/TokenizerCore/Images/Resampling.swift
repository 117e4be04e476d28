/// Resizes a picture with the antialiased triangle filter and keeps a rectangle of the result; nothing outside it is computed.
///
/// Equal to Pillow's `resize((w, h), BILINEAR)` and `crop`, byte for byte: rows first, rounded to 8 bits, then columns. That order is every
/// Pillow's up to 12; Pillow 13 turns it round for some pictures taller than wide, which can change a byte by one.
struct Resampling {
    private let horizontal: ResamplingWeights
    private let vertical: ResamplingWeights

    /// - Parameters:
    ///   - source: the picture's width and height.
    ///   - resized: the whole resized picture's width and height; never materialised.
    ///   - columns: the kept columns of the resized picture.
    ///   - rows: its kept rows.
    init(source: (width: Int, height: Int), resized: (width: Int, height: Int), columns: Range<Int>, rows: Range<Int>) {
        horizontal = ResamplingWeights(sourceCount: source.width, resizedCount: resized.width, range: columns)
        vertical = ResamplingWeights(sourceCount: source.height, resizedCount: resized.height, range: rows)
    }

    /// - Precondition: `image` has the size stated as `source`.
    func callAsFunction(_ image: RGBImage) -> RGBImage {
        var picture = ResampledPicture(self)
        image.pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<image.height { picture.take(pixels.baseAddress! + y * image.width * 3, at: y) }
        }
        return picture.finished()
    }

    /// The rows of the picture that the result draws on.
    var sourceRows: Range<Int> { vertical.sourceRange }
    /// Width and height of the result.
    var extent: (width: Int, height: Int) { (horizontal.range.count, vertical.range.count) }

    /// A row of the picture → one of the result's width.
    fileprivate func resizeRow(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>) {
        horizontal.weights.withUnsafeBufferPointer { weights in
            for column in 0..<horizontal.range.count {
                let weight = weights.baseAddress! + column * horizontal.taps
                var pixel = source + horizontal.starts[column] * 3
                var (red, green, blue) = (Self.half, Self.half, Self.half)
                for tap in 0..<horizontal.counts[column] {
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

    /// All ``sourceRows``, resized → the result.
    fileprivate func resizeColumns(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>, rowBytes: Int) {
        let first = vertical.sourceRange.lowerBound
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowBytes) { sums in
            for row in 0..<vertical.range.count {
                for i in 0..<rowBytes { sums[i] = Self.half }
                for tap in 0..<vertical.counts[row] {
                    let line = source + (vertical.starts[row] - first + tap) * rowBytes
                    let weight = vertical.weights[row * vertical.taps + tap]
                    for i in 0..<rowBytes { sums[i] &+= Int32(line[i]) &* weight }
                }
                for i in 0..<rowBytes { destination[row * rowBytes + i] = Self.byte(sums[i]) }
            }
        }
    }

    private static let half = Int32(1) << (ResamplingWeights.fractionBits - 1)

    private static func byte(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(max(sum >> Int32(ResamplingWeights.fractionBits), 0), 255))
    }
}

/// A picture that is resized while its rows arrive, in any order: each is narrowed at once, and only those that the result draws on are kept.
struct ResampledPicture {
    private let resampling: Resampling
    private let rows: Range<Int>
    private let rowBytes: Int
    private var narrowed: [UInt8]

    init(_ resampling: Resampling) {
        self.resampling = resampling
        (rows, rowBytes) = (resampling.sourceRows, resampling.extent.width * 3)
        narrowed = [UInt8](repeating: 0, count: rows.count * rowBytes)
    }

    /// - Parameter row: row `y` of the picture.
    mutating func take(_ row: UnsafePointer<UInt8>, at y: Int) {
        guard rows.contains(y) else { return }
        narrowed.withUnsafeMutableBufferPointer { resampling.resizeRow(row, to: $0.baseAddress! + (y - rows.lowerBound) * rowBytes) }
    }

    /// The result, once every row has come.
    func finished() -> RGBImage {
        let (width, height) = resampling.extent
        let pixels = [UInt8](unsafeUninitializedCapacity: height * rowBytes) { destination, count in
            narrowed.withUnsafeBufferPointer { resampling.resizeColumns($0.baseAddress!, to: destination.baseAddress!, rowBytes: rowBytes) }
            count = height * rowBytes
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}
