import CKernels

/// How a Winograd convolution is cut into pieces for the ``Workers``: bands of 4×4 tiles, counted through the images, and where an
/// image has few bands also ranges of channels. Results do not depend on the cut, which is finer where threads would have no work.
///
/// A band's intermediates should stay in the second-level cache, and its weights, which are read again for every band, should be
/// read seldom. With vectors three strips of 14 tiles are best (512 channels on one thread: 69.9, 62.7, 61.5, 59.1, 57.7 ms for bands
/// of 14, 28, 42, 56, 84 tiles; 128 channels: 56, 42, 42, 51, 44 ms); the matrix unit, which multiplies faster than it is fed, wants
/// more (512 channels: 34, 27, 26, 26 ms for 32, 64, 96, 128 tiles; 128 channels: 47, 43, 42, 38 ms).
///
/// Channels come first: two ranges transform the picture twice, but a band of half as many strips reads all weights twice.
struct WinogradPieces {
    private static let fewBands = 4

    private let tiles: Int
    private var tilesPerBand: Int
    private let columns: Int
    private var columnsPerPiece: Int

    /// - Parameter kernels: those that will compute.
    init(_ kind: revq_winograd, images: Int, h: Int, w: Int, columns: Int, _ kernels: revq_kernel_table = ComputeContext.current.kernels) {
        let tilesPerImage = Self.tiles(h: h, w: w)
        let tilesPerStrip = kernels.strip_rows
        // Images that fill no strip share bands, and what is read of the weights.
        let isShared = images > 1 && tilesPerImage < tilesPerStrip
        let strips = ((isShared ? images * tilesPerImage : tilesPerImage) + tilesPerStrip - 1) / tilesPerStrip
        // A stride of 2 has twice as many intermediates for a tile, a 5×5 kernel four times as many.
        var most = kind == .REVQ_HALVING || kind == .REVQ_FIVE_BY_FIVE ? 1 : 3
        let chunk = Int(REVQ_WINOGRAD_CHUNK)
        tiles = images * tilesPerImage
        self.columns = columns
        tilesPerBand = Self.stripsPerBand(strips, most) * tilesPerStrip
        columnsPerPiece = Self.bands(strips, most) < Self.fewBands && !isShared ? 2 * chunk : max(columns, 1)
        let wanted = Workers.wantedPieces
        if count < wanted { columnsPerPiece = min(columnsPerPiece, 2 * chunk) }
        while count < wanted && most > 1 {
            most -= 1
            tilesPerBand = Self.stripsPerBand(strips, most) * tilesPerStrip
        }
        if count < wanted { columnsPerPiece = min(columnsPerPiece, chunk) }
    }

    /// Bands of about `most` strips.
    private static func bands(_ strips: Int, _ most: Int) -> Int { max(1, (strips + most / 2) / most) }
    private static func stripsPerBand(_ strips: Int, _ most: Int) -> Int {
        let bands = bands(strips, most)
        return (strips + bands - 1) / bands
    }

    /// Tiles of an image.
    static func tiles(h: Int, w: Int) -> Int { (h + 3) / 4 * ((w + 3) / 4) }

    private var across: Int { (columns + columnsPerPiece - 1) / columnsPerPiece }
    private var bands: Int { (tiles + tilesPerBand - 1) / tilesPerBand }
    var count: Int { across * bands }

    subscript(piece: Int) -> (tiles: Range<Int>, columns: Range<Int>) {
        let (band, column) = piece.quotientAndRemainder(dividingBy: across)
        let (first, left) = (band * tilesPerBand, column * columnsPerPiece)
        return (first..<min(tiles, first + tilesPerBand), left..<min(columns, left + columnsPerPiece))
    }
}
