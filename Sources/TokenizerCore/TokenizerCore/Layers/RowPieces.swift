/// Cuts the rows of a matrix into pieces that stay in a core's cache, and runs them on the ``Workers``.
///
/// A piece depends only on the matrix, never on the number of threads; kernels that work row by row give the same bits for any cut.
enum RowPieces {
    private static let floatsPerPiece = 32_768

    /// Calls `body` with ranges that cover `0 ..< rows` exactly once.
    static func forEach(rows: Int, width: Int, _ body: (Range<Int>) -> Void) {
        let height = max(1, floatsPerPiece / max(width, 1))
        Workers.forEach((rows + height - 1) / height) { piece in
            body(piece * height..<min(rows, (piece + 1) * height))
        }
    }
}
