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
        let (width, height) = (horizontal.range.count, vertical.range.count)
        let narrowed = resizeRows(image)
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { destination, count in
            narrowed.withUnsafeBufferPointer { resizeColumns($0.baseAddress!, to: destination.baseAddress!, rowBytes: width * 3) }
            count = width * height * 3
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// The rows that ``vertical`` draws on, each resized to ``horizontal``'s range.
    private func resizeRows(_ image: RGBImage) -> [UInt8] {
        let rows = vertical.sourceRange
        let rowBytes = horizontal.range.count * 3
        return [UInt8](unsafeUninitializedCapacity: rows.count * rowBytes) { destination, count in
            image.pixels.withUnsafeBufferPointer { source in
                for (index, row) in rows.enumerated() {
                    resizeRow(source.baseAddress! + row * image.width * 3, to: destination.baseAddress! + index * rowBytes)
                }
            }
            count = rows.count * rowBytes
        }
    }

    private func resizeRow(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>) {
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

    private func resizeColumns(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>, rowBytes: Int) {
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
