import Compute

/// What a drawn picture has of a pattern that repeats from tile to tile: its error at each place of a tile, averaged over all tiles.
///
/// The squared error hardly feels such a weave, because it is faint everywhere; the eye finds it at once. The squares of these averages are
/// multiplied by the number of tiles, so that errors without a pattern count as they do in the mean squared error.
enum WeaveLoss {
    /// Of a tile, in pixels: patterns that repeat after 2, 4 or 8 are found.
    static let tile = 8

    /// - Parameters:
    ///   - y: `[n, h, w, c]`; what is beyond the last whole tile does not count.
    ///   - target: of the same shape.
    /// - Returns: the mean over pictures, places and channels, and its gradient for `y`.
    static func loss(_ y: Tensor, _ target: Tensor) -> (value: Double, gradient: Tensor) {
        precondition(y.shape == target.shape, "\(y.shape) is compared with \(target.shape)")
        let (places, tiles) = (tile * tile * y.c, (y.h / tile) * (y.w / tile))
        var gradient = Tensor(zeros: y.shape)
        guard tiles > 0 else { return (0, gradient) }
        var sum = 0.0
        for image in 0..<y.n {
            var means = [Float](repeating: 0, count: places)
            withPointers(writing: &gradient, reading: y, target) { gradient, drawn, target in
                forEach(image, y.shape) { index, place in means[place] += (drawn[index] - target[index]) / Float(tiles) }
                // The slope of tiles · mean² / (n · places), of whose mean every error has a share of 1 / tiles.
                let slope = 2 / Float(y.n * places)
                forEach(image, y.shape) { index, place in gradient[index] = slope * means[place] }
            }
            sum += means.reduce(0) { $0 + Double($1) * Double($1) }
        }
        return (sum * Double(tiles) / Double(y.n * places), gradient)
    }

    /// - Parameter body: gets each element of an image's whole tiles, and its place in its tile.
    private static func forEach(_ image: Int, _ shape: [Int], _ body: (_ index: Int, _ place: Int) -> Void) {
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        for y in 0..<height / tile * tile {
            let (row, placeRow) = ((image * height + y) * width * channels, y % tile * tile * channels)
            for x in 0..<width / tile * tile {
                for c in 0..<channels { body(row + x * channels + c, placeRow + x % tile * channels + c) }
            }
        }
    }
}
