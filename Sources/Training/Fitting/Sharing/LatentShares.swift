import Compute
import Networks
import Ranks
import TokenizerCore

/// Which latents of a store a rank reads: of those to learn from, which are many, what it holds; of the others what all put together.
struct LatentShares {
    private let parts: LatentParts
    private let ranks: RankGroup

    init(of parts: LatentParts, _ ranks: RankGroup) {
        (self.parts, self.ranks) = (parts, ranks)
    }

    /// Their rows in the store, part by part.
    var rows: [Int] { Split.Part.allCases.flatMap { parts[$0][share($0)] } }

    /// - Parameter own: what ``rows`` are of.
    func training(_ own: Latents) -> SharedLatents {
        SharedLatents(own: own.images(range(.training)), of: parts[.training].count, ranks)
    }

    /// All latents of a part that is held out.
    func whole(_ part: Split.Part, _ own: Latents) -> Latents {
        let (count, held) = (parts[part].count, own.images(range(part)))
        guard ranks.count > 1 else { return held }
        var all = Tensor(uninitialized: [count] + own.shape.map)
        let (first, numbers) = (share(part).lowerBound * own.shape.count, all.count)
        withPointers(writing: &all, reading: held.map) { all, held in
            (all + first).update(from: held, count: range(part).count * own.shape.count)
            ranks.complete(UnsafeMutableBufferPointer(start: all, count: numbers), sharedBy: count)
        }
        return Latents(all)
    }

    /// Of a part's rows.
    private func share(_ part: Split.Part) -> Range<Int> {
        let count = parts[part].count
        return part == .training ? SharedRows.share(of: count, ranks, rank: ranks.rank) : ranks.share(of: count)
    }

    /// Where a part's are among ``rows``.
    private func range(_ part: Split.Part) -> Range<Int> {
        let before = Split.Part.allCases.prefix { $0 != part }.reduce(0) { $0 + share($1).count }
        return before..<before + share(part).count
    }
}
