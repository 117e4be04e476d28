import CKernels

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
        let (rows, c, kernels) = (matrix.rows, matrix.c, InstructionSet.current.kernels)
        precondition(count == c, "cannot add rows of \(matrix.shape) to \(shape)")
        withMutablePointer { sums in
            matrix.withPointer { matrix in
                ColumnPieces.forEach(columns: c) {
                    kernels.add_columns(matrix + $0.lowerBound, rows, c, $0.count, sums + $0.lowerBound)
                }
            }
        }
    }
}
