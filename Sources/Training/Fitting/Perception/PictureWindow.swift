import Compute

/// A rectangle of a batch of pictures.
struct PictureWindow: Equatable {
    let top, left, height, width: Int

    /// The furthest that a window of the loss may be from a corner: the steps of all perceptual networks divide it, plus one.
    private static let mostShift = 7

    /// One that leaves out a few rows and columns, a random share of them above and on the left, so that the steps in which a network goes over
    /// pictures never meet the tiles in which they are drawn at the same places: what it does not see there would be woven into them.
    ///
    /// - Parameter smallest: the least side that it has.
    init(in shape: [Int], smallest: Int, _ random: inout RandomSource) {
        let slack = (height: max(0, min(Self.mostShift, shape[1] - smallest)), width: max(0, min(Self.mostShift, shape[2] - smallest)))
        (top, left) = (random.below(slack.height + 1), random.below(slack.width + 1))
        (height, width) = (shape[1] - slack.height, shape[2] - slack.width)
    }

    /// - Parameter pictures: `[n, h, w, c]`.
    /// - Returns: `[n, height, width, c]`.
    func cut(from pictures: Tensor) -> Tensor {
        var part = Tensor(uninitialized: [pictures.n, height, width, pictures.c])
        let row = width * pictures.c
        withPointers(writing: &part, reading: pictures) { part, whole in
            forEachRow(of: pictures) { place, index in (part + index * row).update(from: whole + place, count: row) }
        }
        return part
    }

    /// Adds `part`, `[n, height, width, c]`, to where it was cut from.
    func add(_ part: Tensor, to pictures: inout Tensor) {
        let (row, shape) = (width * part.c, pictures)
        withPointers(writing: &pictures, reading: part) { whole, part in
            forEachRow(of: shape) { place, index in
                for i in 0..<row { whole[place + i] += part[index * row + i] }
            }
        }
    }

    /// - Parameter body: gets where a row of the window begins in the pictures, and which of all its rows it is.
    private func forEachRow(of pictures: Tensor, _ body: (_ place: Int, _ index: Int) -> Void) {
        for image in 0..<pictures.n {
            for y in 0..<height {
                body(((image * pictures.h + top + y) * pictures.w + left) * pictures.c, image * height + y)
            }
        }
    }
}
