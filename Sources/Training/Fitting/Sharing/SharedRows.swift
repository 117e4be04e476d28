import Compute
import Ranks

/// The rows of a tensor `[n, …]` of which each rank holds a part, so that no machine's memory need hold all.
///
/// They are dealt in slices, in their order. Rows of others come from these: all ranks ask for the same ones at the same time, and all get them.
package struct SharedRows: Sendable {
    /// Of all ranks together.
    package let count: Int
    /// Those of this rank, `[own, …]`.
    let own: Tensor
    let ranks: RankGroup
    private let slice: Int

    /// Images of a slice: what Lloyd's algorithm assigns at once, so that its slices are not cut.
    static let imagesOfSlice = 128

    /// - Parameter own: of `count` rows those that ``share(of:slice:_:rank:)`` names.
    init(own: Tensor, of count: Int, slice: Int = SharedRows.imagesOfSlice, _ ranks: RankGroup) {
        let share = Self.share(of: count, slice: slice, ranks, rank: ranks.rank)
        precondition(own.n == share.count, "\(own.n) rows are not the \(share) of \(count)")
        (self.own, self.count, self.slice, self.ranks) = (own, count, slice, ranks)
    }

    /// - Parameter all: the same on all ranks.
    package init(of all: Tensor, _ ranks: RankGroup = .alone) {
        self.init(own: all.images(Self.share(of: all.n, ranks, rank: ranks.rank)), of: all.n, ranks)
    }

    /// Which of `count` rows a rank holds.
    static func share(of count: Int, slice: Int = SharedRows.imagesOfSlice, _ ranks: RankGroup, rank: Int) -> Range<Int> {
        let slices = ranks.share(of: (count + slice - 1) / slice, rank: rank)
        return min(slices.lowerBound * slice, count)..<min(slices.upperBound * slice, count)
    }

    /// Each row `[parts · d]` as so many rows `[d]`.
    func split(_ parts: Int) -> SharedRows {
        SharedRows(own: own.reshaped([own.n * parts, own.c / parts]), of: count * parts, slice: slice * parts, ranks)
    }

    /// Rows of the same width, made of these slice by slice.
    /// - Returns: nil when a stop was requested, of any rank, before all were made.
    func changed(isStopRequested: () -> Bool, _ change: (Tensor) -> Tensor) -> SharedRows? {
        var (new, isStopped) = (Tensor(uninitialized: own.shape), false)
        for first in stride(from: 0, to: own.n, by: slice) {
            isStopped = isStopRequested()
            if isStopped { break }
            let changed = change(own.images(first..<min(first + slice, own.n)))
            let width = changed.count / changed.n
            withPointers(writing: &new, reading: changed) { ($0 + first * width).update(from: $1, count: changed.count) }
        }
        return ranks.any(isStopped) ? nil : SharedRows(own: new, of: count, slice: slice, ranks)
    }

    /// The rows of these places, in the given order; the same on all ranks.
    func rows(at places: [Int]) -> Tensor {
        guard ranks.count > 1 else { return own.images(at: places) }
        let held = (0..<ranks.count).map { Self.share(of: count, slice: slice, ranks, rank: $0) }
        let targets = held.map { held in places.indices.filter { held.contains(places[$0]) } }
        // Rank by rank, so that what one has is in a row.
        var grouped = Tensor(uninitialized: [places.count] + own.shape.dropFirst())
        let width = grouped.count / max(places.count, 1)
        var shares: [Range<Int>] = []
        for targets in targets {
            let start = shares.last?.upperBound ?? 0
            shares.append(start..<start + targets.count * width)
        }
        let (first, rank) = (shares[ranks.rank].lowerBound, ranks.rank)
        withPointers(writing: &grouped, reading: own.images(at: targets[rank].map { places[$0] - held[rank].lowerBound })) { grouped, given in
            (grouped + first).update(from: given, count: shares[rank].count)
            ranks.complete(UnsafeMutableBufferPointer(start: grouped, count: places.count * width), shares: shares)
        }
        var order = [Int](repeating: 0, count: places.count)
        for (place, target) in targets.joined().enumerated() { order[target] = place }
        return grouped.images(at: order)
    }
}

extension Tensor {
    /// Of a batch `[n, …]` the chosen images, in the given order.
    func images(at places: [Int]) -> Tensor {
        let size = count / max(n, 1)
        var result = Tensor(uninitialized: [places.count] + shape.dropFirst())
        withPointers(writing: &result, reading: self) { target, source in
            Workers.forEach(places.count) { (target + $0 * size).update(from: source + places[$0] * size, count: size) }
        }
        return result
    }
}
