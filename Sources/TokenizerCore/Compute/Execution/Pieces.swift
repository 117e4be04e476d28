import CKernels

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

/// Cuts the columns of a matrix into pieces for the ``Workers``, for sums over its rows: each sum is formed in the order of the rows.
package enum ColumnPieces {
    private static let columnsPerPiece = 256

    /// Calls `body` with ranges that cover `0 ..< columns` exactly once.
    package static func forEach(columns: Int, _ body: (Range<Int>) -> Void) {
        Workers.forEach((columns + columnsPerPiece - 1) / columnsPerPiece) { piece in
            body(piece * columnsPerPiece..<min(columns, (piece + 1) * columnsPerPiece))
        }
    }
}

extension Tensor {
    /// Adds the sum over all rows of `matrix`, `[…, c]`, to these c numbers.
    package mutating func addColumns(of matrix: Tensor) {
        let (rows, c, kernels) = (matrix.rows, matrix.c, ComputeContext.current.kernels)
        precondition(count == c, "cannot add rows of \(matrix.shape) to \(shape)")
        withPointers(writing: &self, reading: matrix) { sums, matrix in
            ColumnPieces.forEach(columns: c) {
                kernels.add_columns(matrix + $0.lowerBound, rows, c, $0.count, sums + $0.lowerBound)
            }
        }
    }
}
