/// Cuts the rows of a matrix into pieces that stay in a core's cache, and runs them on the ``Workers``.
///
/// A piece depends only on the matrix, never on the number of threads; kernels that work row by row give the same bits for any cut.
package enum RowPieces {
    private static let floatsPerPiece = 32_768

    /// How many pieces there are.
    package static func count(rows: Int, width: Int) -> Int {
        let height = height(width)
        return (rows + height - 1) / height
    }

    /// Calls `body` with ranges that cover `0 ..< rows` exactly once.
    /// - Parameter floatsPerRow: how many numbers a row's work reads and writes; one of each for every column by default.
    package static func forEach(
        rows: Int, width: Int, floatsPerRow: Int? = nil, operation: StaticString = #function, _ body: (Range<Int>) -> Void
    ) {
        forEach(rows: rows, width: width, floatsPerRow: floatsPerRow, operation: operation) { range, _ in body(range) }
    }

    /// The same, with the number of each piece.
    package static func forEach(
        rows: Int, width: Int, floatsPerRow: Int? = nil, operation: StaticString = #function,
        _ body: (_ range: Range<Int>, _ piece: Int) -> Void
    ) {
        let height = height(width)
        let cost = ComputeProfile.Cost(floats: rows * (floatsPerRow ?? 2 * width))
        Workers.forEach(count(rows: rows, width: width), operation: operation, cost: cost) { piece in
            body(piece * height..<min(rows, (piece + 1) * height), piece)
        }
    }

    private static func height(_ width: Int) -> Int {
        max(1, floatsPerPiece / max(width, 1))
    }
}
