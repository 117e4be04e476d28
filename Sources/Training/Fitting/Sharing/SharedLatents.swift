import Compute
import Networks
import Ranks
import TokenizerCore

/// Latents of which each rank holds a part, see ``SharedRows``. What is asked for here, all ranks ask for together.
package struct SharedLatents: Sendable {
    /// `[n, h, w, c]`.
    private let rows: SharedRows

    /// All of them are here.
    package init(_ latents: Latents) {
        rows = SharedRows(of: latents.map)
    }

    /// - Parameter own: of `count` images those that ``SharedRows/share(of:slice:_:rank:)`` names.
    init(own: Latents, of count: Int, _ ranks: RankGroup) {
        rows = SharedRows(own: own.map, of: count, ranks)
    }

    /// Images of all ranks together.
    package var count: Int { rows.count }
    package var shape: LatentShape { own.shape }
    /// Those of this rank.
    var own: Latents { Latents(rows.own) }
    var ranks: RankGroup { rows.ranks }

    /// The chosen images, in the given order.
    func images(at places: some Collection<Int>) -> Latents { Latents(rows.rows(at: Array(places))) }

    func images(_ range: Range<Int>) -> Latents { ranks.count == 1 ? own.images(range) : images(at: range) }

    /// At most `most` images, evenly spread over all.
    func spread(_ most: Int) -> Latents { count <= most ? images(0..<count) : images(at: (0..<most).map { $0 * count / most }) }

    /// `most` images at a time, in their order; the last batch may be smaller.
    func batches(of most: Int) -> some Sequence<Latents> {
        stride(from: 0, to: count, by: most).lazy.map { images($0..<Swift.min($0 + most, count)) }
    }
}

extension LatentNormalizer {
    /// The statistics of every element of the latents, or of every channel, the same as where one process has all of them.
    init(fitting latents: SharedLatents, ofChannels: Bool) {
        let ranks = latents.ranks
        self.init(fitting: latents.own, of: latents.count, ofChannels: ofChannels) { sums, add in
            ranks.addInOrder(sums, buckets: [sums.indices]) { _ in add() }
        }
    }
}
