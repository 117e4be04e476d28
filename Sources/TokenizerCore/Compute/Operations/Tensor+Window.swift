extension Tensor {
    /// A window of each picture, zero where it reaches beyond the picture's edges.
    ///
    /// The gradient is a window too: where `rows` of h were taken, `−rows.lowerBound ..< h − rows.lowerBound`.
    ///
    /// - Returns: `[n, rows.count, columns.count, c]`.
    package func window(rows: Range<Int>, columns: Range<Int>) -> Tensor {
        let (h, w, c) = (self.h, self.w, self.c)
        var y = Tensor(uninitialized: [n, rows.count, columns.count, c])
        let (total, width) = (n * rows.count, columns.count * c)
        // Of a row of the window: what lies beside the picture, in it, and behind it.
        let inside = columns.clamped(to: 0..<w)
        let before = inside.isEmpty ? width : (inside.lowerBound - columns.lowerBound) * c
        withPointers(writing: &y, reading: self) { y, x in
            RowPieces.forEach(rows: total, width: width) { range in
                for row in range {
                    let (target, source) = (y + row * width, rows.lowerBound + row % rows.count)
                    let count = (0..<h).contains(source) ? inside.count * c : 0
                    target.update(repeating: 0, count: before)
                    if count > 0 {
                        let start = ((row / rows.count * h + source) * w + inside.lowerBound) * c
                        (target + before).update(from: x + start, count: count)
                    }
                    (target + before + count).update(repeating: 0, count: width - before - count)
                }
            }
        }
        return y
    }
}
