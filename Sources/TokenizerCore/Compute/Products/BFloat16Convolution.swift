import CKernels

/// A convolution of `x`, `[images, h, w, c]`, with both factors rounded to bf16 and sums in fp32.
///
/// Each result is one sum in a fixed order, so it depends neither on other pixels and images nor on how the work is cut.
///
/// - Returns: `[images, ⌈h / stride⌉, ⌈w / stride⌉, n]`, or when enlarging `[images, 2h, 2w, n]`.
/// - Precondition: there is a ``BFloat16Unit``, which ``Precision/obstacle`` tells beforehand.
package func convolve(_ x: Tensor, with weights: BFloat16Weights, bias: Tensor?, stride: Int, activation: Activation?) -> Tensor {
    guard let kernel = ComputeContext.current.bfloat16Unit?.kernel else { preconditionFailure(Precision.bfloat16.obstacle ?? "no such unit") }
    let (h, w, c, n) = (x.h, x.w, weights.c, weights.n)
    let picture = revq_bfloat16_picture(h: h, w: w, c: c, size: weights.size, stride: stride, is_enlarging: weights.isEnlarging)
    let (ho, wo) = weights.isEnlarging ? (2 * h, 2 * w) : ((h + stride - 1) / stride, (w + stride - 1) / stride)
    let pieces = BFloat16Pieces(images: x.n, picture: picture, columns: n)
    let scratchBytes = withUnsafePointer(to: picture) { revq_bfloat16_scratch($0, pieces.linesPerPiece) }
    let scratchCount = (scratchBytes + 3) / MemoryLayout<Float>.stride
    var y = Tensor(uninitialized: [x.n, ho, wo, n])
    // An enlarged picture's four filters have 2×2 taps.
    let taps = weights.isEnlarging ? 4 : weights.size * weights.size
    let cost = ComputeProfile.Cost(multiplications: y.count * c * taps, floats: x.count + c * taps * n / 2 + y.count)
    withPointers(writing: &y, reading: x, bias, weights) { y, x, bias, weights in
        Workers.forEach(pieces.count, operation: "product in bf16", cost: cost) { index in
            let (image, lines, columns) = pieces[index]
            withScratch(scratchCount) { scratch in
                withUnsafePointer(to: picture) {
                    kernel(
                        $0, x + image * h * w * c, lines.lowerBound, lines.upperBound, weights, n, columns.lowerBound, columns.upperBound,
                        y + image * ho * wo * n, bias, revq_activation(activation), scratch)
                }
            }
        }
    }
    return y
}

/// How such a convolution is cut into pieces for the ``Workers``: lines of an image (of the small one when enlarging), and where an
/// image has few lines also ranges of channels. A piece's lines, rounded, stay in the second-level cache while the weights pass by.
struct BFloat16Pieces {
    private static let mostBytes = 768 << 10
    /// Fewer would let reading the weights take longer than multiplying.
    private static let fewestPixels = 256
    private static let enoughPieces = 8

    let linesPerPiece: Int
    private let images: Int
    private let lines: Int
    private let columns: Int
    private let columnsPerPiece: Int

    init(images: Int, picture: revq_bfloat16_picture, columns: Int) {
        let lines = (picture.h + picture.stride - 1) / picture.stride
        let width = max(1, (picture.w + picture.stride - 1) / picture.stride)
        let lineBytes = (picture.c + 31) / 32 * 64 * (width * picture.stride + 1) * picture.stride
        let most = max(1, Self.mostBytes / lineBytes - picture.size / 2 * 2)
        let fewest = (Self.fewestPixels + width - 1) / width
        linesPerPiece = max(1, min(lines, most, max(fewest, (lines + Self.enoughPieces - 1) / Self.enoughPieces)))
        let (bands, panels) = ((lines + linesPerPiece - 1) / linesPerPiece, (columns + WeightPanels.width - 1) / WeightPanels.width)
        let across = max(1, min(panels, Self.enoughPieces / max(1, bands)))
        columnsPerPiece = max(1, (panels + across - 1) / across) * WeightPanels.width
        (self.images, self.lines, self.columns) = (images, lines, columns)
    }

    private var bands: Int { (lines + linesPerPiece - 1) / linesPerPiece }
    private var across: Int { (columns + columnsPerPiece - 1) / columnsPerPiece }
    var count: Int { images * bands * across }

    /// Neighbouring pieces share their lines, so that threads read the same inputs at about the same time.
    subscript(piece: Int) -> (image: Int, lines: Range<Int>, columns: Range<Int>) {
        let (band, column) = piece.quotientAndRemainder(dividingBy: across)
        let (image, line) = band.quotientAndRemainder(dividingBy: bands)
        let (top, left) = (line * linesPerPiece, column * columnsPerPiece)
        return (image, top..<min(lines, top + linesPerPiece), left..<min(columns, left + columnsPerPiece))
    }
}

/// Weights rounded to bf16 and laid out for ``convolve(_:with:bias:stride:activation:)`` and ``project(_:with:bias:activation:)``,
/// the same for every ``BFloat16Unit``: half the memory of fp32.
package struct BFloat16Weights: PointerSource, Sendable {
    let size: Int
    let c: Int
    let n: Int
    /// Whether they are for the picture in which each pixel is repeated twice in both directions: then a kernel of 2×2 sums of taps
    /// for each of the four pixels that one becomes.
    let isEnlarging: Bool
    /// Two numbers in the place of one.
    private let storage: Tensor

    /// - Parameter weight: `n · c · size²` numbers in the order `[out, in, k, k]`.
    init(_ weight: Tensor, n: Int, c: Int, size: Int, enlarging isEnlarging: Bool = false) {
        precondition(weight.count == n * c * size * size, "weights of shape \(weight.shape) are not \(n)×\(c)×\(size)×\(size)")
        precondition(!isEnlarging || size == 3, "enlarging is folded into 3×3 kernels, got \(weight.shape)")
        let panels = (n + WeightPanels.width - 1) / WeightPanels.width
        let panel = revq_bfloat16_panel(isEnlarging, c, size)
        var storage = Tensor(uninitialized: [panels, panel / 2], isLasting: true)
        storage.withMutablePointer { target in
            target.withMemoryRebound(to: UInt16.self, capacity: panels * panel) { target in
                weight.withPointer { source in
                    Workers.forEach(panels) { revq_pack_bfloat16_panel(isEnlarging, source, n, c, size, $0, target + $0 * panel) }
                }
            }
        }
        weight.releasePages()
        (self.size, self.c, self.n, self.isEnlarging, self.storage) = (size, c, n, isEnlarging, storage)
    }

    package var pointer: UnsafePointer<UInt16> { UnsafeRawPointer(storage.pointer).assumingMemoryBound(to: UInt16.self) }
}
