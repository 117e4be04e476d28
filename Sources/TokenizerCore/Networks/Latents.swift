import Compute

/// The latents of a batch of images, in the order of computation: `[n, h, w, c]`.
///
/// Files have them as rows of numbers ordered by channel, row and column. A normaliser's statistics, the strips of the paper's quantiser
/// and weights that see a whole image have that order too: it is a contract, and only ``init(rows:shape:)`` and ``rows`` turn it.
package struct Latents: Sendable {
    /// `[n, h, w, c]`.
    package var map: Tensor

    /// - Precondition: `map` is `[n, h, w, c]`.
    package init(_ map: Tensor) {
        precondition(map.shape.count == 4, "latents are [n, h, w, c], got \(map.shape)")
        self.map = map
    }

    /// - Parameter rows: `[n, C·H·W]`, by channel, row and column.
    package init(rows: Tensor, shape: LatentShape) {
        precondition(rows.shape.count == 2 && rows.c == shape.count, "latents of \(shape) cannot be \(rows.shape)")
        map = rows.swappingInnerAxes(outer: rows.n, shape.channels, shape.sites).reshaped([rows.n] + shape.map)
    }

    /// The same numbers as `[n, C·H·W]`, by channel, row and column.
    package var rows: Tensor {
        map.swappingInnerAxes(outer: count, shape.sites, shape.channels).reshaped([count, shape.count])
    }

    /// How many images.
    package var count: Int { map.n }

    package var shape: LatentShape { LatentShape(channels: map.c, height: map.h, width: map.w) }

    /// Images `range`: a view of the same memory, which the first write to either copies.
    package func images(_ range: Range<Int>) -> Latents { Latents(map.images(range)) }
}

/// The extents of one image's latents.
package struct LatentShape: Sendable, Hashable, Codable {
    package let channels: Int
    package let height: Int
    package let width: Int

    package init(channels: Int, height: Int, width: Int) {
        (self.channels, self.height, self.width) = (channels, height, width)
    }

    /// Whether these extents, read from a file, can be an image's: each in 1…8192, and at most 2²⁶ numbers.
    package var isPossible: Bool {
        [channels, height, width].allSatisfy { (1...8192).contains($0) } && count <= 1 << 26
    }

    /// How many numbers one image has.
    package var count: Int { channels * height * width }

    /// Places where each channel has a number.
    package var sites: Int { height * width }

    /// `[h, w, c]`, as networks have them.
    package var map: [Int] { [height, width, channels] }
}
