import Compute

/// The extents of one image's latents. Outside the networks, latents are `[n, C·H·W]` in this order: channel, row, column.
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

    /// `[n, h, w, c]` as networks have it → `[n, C·H·W]`.
    package func flattened(_ featureMap: Tensor) -> Tensor {
        precondition(featureMap.shape.dropFirst() == [height, width, channels], "latents of \(self) cannot be \(featureMap.shape)")
        return featureMap.swappingInnerAxes(outer: featureMap.n, height * width, channels).reshaped([featureMap.n, count])
    }

    /// `[n, C·H·W]` → `[n, h, w, c]` as networks have it.
    package func featureMap(_ flat: Tensor) -> Tensor {
        precondition(flat.shape.count == 2 && flat.c == count, "latents of \(self) cannot be \(flat.shape)")
        return flat.swappingInnerAxes(outer: flat.n, channels, height * width).reshaped([flat.n, height, width, channels])
    }
}
