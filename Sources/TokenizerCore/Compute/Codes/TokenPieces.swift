/// Cuts the tokens of a batch into pieces that share a codebook, each short enough to share the work of one image.
struct TokenPieces {
    /// Token `start`, and every `stride`th after it, `count` in all.
    struct Piece {
        let group, start, stride, count: Int
    }

    private static let longest = 128
    /// Answers that share a line of the cache.
    private static let neighbours = 16
    private let group: (count: Int, positions: Int)
    private let images: Int
    private let tokensPerImage: Int

    /// - Precondition: `tokensPerImage` is a multiple of `groups`, and `vectors` are images of so many tokens of `d` numbers.
    init(_ vectors: Tensor, d: Int, tokensPerImage: Int, groups: Int) {
        precondition(
            tokensPerImage > 0 && tokensPerImage % groups == 0 && vectors.count % (tokensPerImage * d) == 0,
            "vectors of shape \(vectors.shape) are not \(tokensPerImage) tokens of \(d) numbers for \(groups) codebooks")
        group = (groups, tokensPerImage / groups)
        images = vectors.count / (tokensPerImage * d)
        self.tokensPerImage = tokensPerImage
    }

    /// Where each position has a codebook, a piece goes through the images; otherwise through an image's positions.
    private var isThroughImages: Bool { group.positions == 1 }
    private var length: Int { isThroughImages ? images : group.positions }
    private var piecesPerLength: Int { (length + Self.longest - 1) / Self.longest }
    private var lengths: Int { isThroughImages ? group.count : group.count * images }

    var count: Int { lengths * piecesPerLength }

    /// Calls `body` for every piece, shared by the ``Workers``. Where pieces go through the images, a thread takes neighbouring positions: their
    /// vectors and answers lie on the same lines of the cache, which threads would otherwise take from each other.
    func forEach(_ body: (Piece) -> Void) {
        let together = isThroughImages ? Self.neighbours : 1
        Workers.forEach((count + together - 1) / together) { piece in
            for index in piece * together..<min(count, (piece + 1) * together) { body(self[index]) }
        }
    }

    /// Pieces through the same images follow each other, otherwise those with the same codebook.
    subscript(index: Int) -> Piece {
        guard !isThroughImages else {
            let (part, which) = index.quotientAndRemainder(dividingBy: group.count)
            let first = part * Self.longest
            return Piece(
                group: which, start: first * tokensPerImage + which, stride: tokensPerImage, count: min(Self.longest, length - first))
        }
        let (which, part) = index.quotientAndRemainder(dividingBy: piecesPerLength)
        let first = part * Self.longest
        let count = min(Self.longest, length - first)
        let (book, image) = which.quotientAndRemainder(dividingBy: images)
        return Piece(group: book, start: image * tokensPerImage + book * group.positions + first, stride: 1, count: count)
    }
}
