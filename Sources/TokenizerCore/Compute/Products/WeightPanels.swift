import CKernels

/// The right factor of a matrix product, `[k, n]`, laid out once for the kernels: panels of 32 columns, each `[k, 32]`, the last
/// one filled up with zeros. The layout is the same for every instruction set.
struct WeightPanels: Sendable {
    static let width = 32

    /// Rows: the length of a sum.
    let k: Int
    /// Columns: the number of results.
    let n: Int
    /// `[⌈n / 32⌉, k, 32]`
    private let storage: Tensor

    /// Packs weights stored as `[n, c, taps]`; rows of the matrix are ordered (tap, channel).
    init(_ weight: Tensor, n: Int, c: Int, taps: Int) {
        precondition(weight.count == n * c * taps, "weights of shape \(weight.shape) are not \(n)×\(c)×\(taps)")
        (self.k, self.n) = (c * taps, n)
        let (k, panels) = (c * taps, (n + Self.width - 1) / Self.width)
        var storage = Tensor(uninitialized: [panels, k, Self.width], isLasting: true)
        withPointers(writing: &storage, reading: weight) { target, source in
            Workers.forEach(panels) { revq_pack_panel(source, n, c, taps, $0, target + $0 * k * Self.width) }
        }
        self.storage = storage
        weight.releasePages()
    }

    /// Packs the matrix `[k, n]` itself.
    init(rows source: UnsafePointer<Float>, k: Int, n: Int) {
        self.init(k: k, n: n) { revq_pack_rows(source, k, n, $0.lowerBound, $0.upperBound, $1) }
    }

    /// Lets `fill` pack some rows at a time.
    init(k: Int, n: Int, fill: (_ rows: Range<Int>, _ panels: UnsafeMutablePointer<Float>) -> Void) {
        (self.k, self.n) = (k, n)
        var storage = Tensor(uninitialized: [(n + Self.width - 1) / Self.width, k, Self.width])
        storage.withMutablePointer { target in
            RowPieces.forEach(rows: k, width: n, operation: "packing") { fill($0, target) }
        }
        self.storage = storage
    }

    /// Passes the panels from the one that holds column `column` on.
    ///
    /// - Precondition: `column` is a multiple of the panel width.
    func withPointer<R>(fromColumn column: Int, _ body: (UnsafePointer<Float>) -> R) -> R {
        storage.withPointer { body($0 + column * k) }
    }
}

/// How the result of a product is cut into pieces for the ``Workers``. Results do not depend on the cut, bit for bit; it is finer where threads
/// would have no work.
struct ProductPieces {
    static let rowsPerPiece = 256
    /// So many pieces, where the matrix is large enough, keep a few cores busy.
    private static let fewest = 16
    /// Two panels: narrower pieces would copy rows for longer than they multiply them.
    private static let fewestColumns = 64
    private static let mostColumns = 2048

    let rows: Int
    let columns: Int
    private let columnsPerPiece: Int

    /// - Parameter least: columns that a piece has at least, where there are so many; wider pieces copy and split their rows less often.
    init(rows: Int, columns: Int, least: Int? = nil) {
        (self.rows, self.columns) = (rows, columns)
        let (down, wanted) = (max(1, Self.pieces(rows, of: Self.rowsPerPiece)), Workers.wantedPieces)
        var least = least ?? (columns < 2048 ? 256 : 512)
        while down * Self.pieces(columns, of: least) < wanted && least >= 2 * Self.fewestColumns { least /= 2 }
        let across = Self.pieces(max(Self.fewest, wanted), of: down)
        let share = Self.pieces(Self.pieces(columns, of: across), of: least) * least
        columnsPerPiece = max(least, min(share, Self.mostColumns))
    }

    /// How many pieces of `size` there are in `count`, the last one perhaps smaller.
    private static func pieces(_ count: Int, of size: Int) -> Int { (count + size - 1) / size }

    private var across: Int { Self.pieces(columns, of: columnsPerPiece) }
    private var down: Int { Self.pieces(rows, of: Self.rowsPerPiece) }
    var count: Int { across * down }

    /// Neighbouring pieces share their rows, so that threads read the same inputs at about the same time.
    subscript(piece: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let (row, column) = piece.quotientAndRemainder(dividingBy: across)
        let (top, left) = (row * Self.rowsPerPiece, column * columnsPerPiece)
        return (top..<min(rows, top + Self.rowsPerPiece), left..<min(columns, left + columnsPerPiece))
    }
}
