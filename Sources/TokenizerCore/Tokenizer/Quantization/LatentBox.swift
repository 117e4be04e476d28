import Compute
import Networks

/// Latents of one image cut into equal boxes of channels × rows × columns.
package struct LatentBox: Sendable, Hashable {
    package let shape: LatentShape
    package let channels, height, width: Int

    init(shape: LatentShape, channels: Int, height: Int, width: Int) {
        (self.shape, self.channels, self.height, self.width) = (shape, channels, height, width)
    }

    /// Squares of side × side sites with all their channels.
    package init(allChannelsOf shape: LatentShape, side: Int) {
        self.init(shape: shape, channels: shape.channels, height: side, width: side)
    }

    /// Elements of a box.
    package var count: Int { channels * height * width }

    /// Whether the boxes fill the latents exactly.
    package var isWhole: Bool {
        guard channels >= 1, height >= 1, width >= 1, channels <= shape.channels, height <= shape.height, width <= shape.width else { return false }
        return shape.channels % channels == 0 && shape.height % height == 0 && shape.width % width == 0
    }

    /// Boxes that cover the same channels.
    package var places: Int { (shape.height / height) * (shape.width / width) }

    /// For each element of each box in turn, its index in `[h, w, c]`. Boxes follow each other by channel, row and column, and so do the
    /// elements inside.
    package var order: [Int] {
        var order: [Int] = []
        order.reserveCapacity(shape.count)
        for firstChannel in stride(from: 0, to: shape.channels, by: channels) {
            for top in stride(from: 0, to: shape.height, by: height) {
                for left in stride(from: 0, to: shape.width, by: width) {
                    for channel in firstChannel..<firstChannel + channels {
                        for y in top..<top + height {
                            for x in left..<left + width { order.append((y * shape.width + x) * shape.channels + channel) }
                        }
                    }
                }
            }
        }
        return order
    }

    /// The elements of every box, a box per row: `[n · boxes, count]`.
    package func rows(of latents: Latents) -> Tensor {
        precondition(isWhole && latents.shape == shape, "boxes of \(self) in latents of \(latents.shape)")
        let (order, count) = (order, shape.count)
        var rows = Tensor(uninitialized: [latents.count * count / self.count, self.count])
        rows.withMutablePointer { target in
            latents.map.withPointer { source in
                Workers.forEach(latents.count) { image in
                    for i in 0..<count { target[image * count + i] = source[image * count + order[i]] }
                }
            }
        }
        return rows
    }
}
