import Files
import Locks

/// The processes that share one job's work, seen from one of them.
///
/// They are equals but for the first, which alone writes and speaks. Ranks change speed, as threads do; results only where a comment says so.
///
/// What they do together is called by all of them, in the same order. Results of it are equal everywhere, to the bit.
package struct RankGroup: Sendable {
    package let rank, count: Int
    private let communicator: (any Communicator)?
    private let state = Lock((hasBegun: false, hasFailed: false))

    /// One process for everything.
    package static let alone = RankGroup(nil)

    package init(_ communicator: (any Communicator)?) {
        self.communicator = communicator
        (rank, count) = (communicator?.rank ?? 0, communicator?.count ?? 1)
    }

    package var isFirst: Bool { rank == 0 }
    private var last: Int { count - 1 }

    /// This rank's share of `total` things in a row: as many for each as for any other, or one more.
    package func share(of total: Int) -> Range<Int> { share(of: total, rank: rank) }

    /// Another rank's.
    package func share(of total: Int, rank: Int) -> Range<Int> { total * rank / count..<total * (rank + 1) / count }

    /// Whether something was done ``together(_:)`` already: what fails before may still fail together.
    package var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Whether what ended the work on this rank has ended it on all of them, and the first one says why.
    package var hasFailedTogether: Bool { state.withLock { $0.hasFailed } }

    /// Ends the others.
    package func abort(status: Int32) -> Never {
        guard let communicator else { preconditionFailure("there are no others to end") }
        communicator.abort(status: status)
    }

    package func leave() {
        communicator?.leave()
    }
}

extension RankGroup {
    /// Gives every rank what one of them has.
    /// - Parameter values: as many everywhere.
    package func broadcast<Element: BitwiseCopyable>(_ values: inout [Element], from root: Int = 0) {
        values.withUnsafeMutableBufferPointer { broadcast($0, from: root) }
    }

    package func broadcast<Element: BitwiseCopyable>(_ values: UnsafeMutableBufferPointer<Element>, from root: Int) {
        guard let communicator, !values.isEmpty else { return }
        communicator.begin(.broadcast(UnsafeMutableRawBufferPointer(values), from: root))()
    }

    /// Puts together what every rank has computed its ``share(of:)`` of.
    /// - Parameters:
    ///   - values: of all; those of this rank's share are given.
    ///   - things: the number of what is shared; each has equally many values.
    package func complete<Element: BitwiseCopyable>(_ values: UnsafeMutableBufferPointer<Element>, sharedBy things: Int) {
        guard things > 0 else { return }
        precondition(values.count % things == 0, "\(values.count) values are not those of \(things)")
        let each = values.count / things
        complete(
            values,
            shares: (0..<count).map { rank in
                let part = share(of: things, rank: rank)
                return part.lowerBound * each..<part.upperBound * each
            })
    }

    /// The same where each rank has any part of the values. All parts are under way at once.
    /// - Parameter shares: which values each rank gives, the same everywhere.
    package func complete<Element: BitwiseCopyable>(_ values: UnsafeMutableBufferPointer<Element>, shares: [Range<Int>]) {
        guard let communicator else { return }
        precondition(shares.count == count, "\(shares.count) shares are not those of \(count) ranks")
        let transfers = shares.enumerated().compactMap { root, share -> (() -> Void)? in
            guard !share.isEmpty else { return nil }
            let part = UnsafeMutableBufferPointer(rebasing: values[share])
            return communicator.begin(.broadcast(UnsafeMutableRawBufferPointer(part), from: root))
        }
        for wait in transfers { wait() }
    }

    /// What every rank has to say, by rank.
    package func gather(_ own: [UInt8]) -> [[UInt8]] {
        guard count > 1 else { return [own] }
        var lengths = [Int](repeating: own.count, count: count)
        lengths.withUnsafeMutableBufferPointer { complete($0, sharedBy: count) }
        return lengths.enumerated().map { rank, length in
            var bytes = rank == self.rank ? own : [UInt8](repeating: 0, count: length)
            broadcast(&bytes, from: rank)
            return bytes
        }
    }

    /// The highest of the ranks' numbers.
    package func highest(_ value: Int) -> Int {
        guard count > 1 else { return value }
        var values = [Int](repeating: value, count: count)
        values.withUnsafeMutableBufferPointer { complete($0, sharedBy: count) }
        return values.max()!
    }

    /// Whether it is so on any rank.
    package func any(_ isSo: Bool) -> Bool { highest(isSo ? 1 : 0) == 1 }
}

extension RankGroup {
    /// Does what may fail on any rank. Where it does, it has failed on all of them, for the reason that the lowest of these ranks has.
    package func together<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R {
        guard count > 1 else { return try body() }
        state.withLock { $0.hasBegun = true }
        var result: R?
        var reason = ""
        do throws(FileError) { result = try body() } catch { reason = error.reason }
        let reasons = gather(Array(reason.utf8))
        if let failed = reasons.firstIndex(where: { !$0.isEmpty }) {
            state.withLock { $0.hasFailed = true }
            let reason = String(decoding: reasons[failed], as: UTF8.self)
            throw FileError(path: "", reason: failed == 0 ? reason : "rank \(failed) of \(count): \(reason)")
        }
        return result!
    }

    /// What the first rank finds; on the others nothing is done.
    package func decided(_ body: () throws(FileError) -> Int) throws(FileError) -> Int {
        var values = [try together { () throws(FileError) in isFirst ? try body() : 0 }]
        broadcast(&values)
        return values[0]
    }

    /// Makes sure that all ranks have the same before anything is done with it.
    /// - Parameter facts: by what a message calls them, such as "other pictures", what stands for them; the same names everywhere.
    /// - Throws: naming the first rank and the first fact that differ from the first rank's.
    package func agree(on facts: @autoclosure () -> [(name: String, digest: String)]) throws(FileError) {
        guard count > 1 else { return }
        let facts = facts()
        let all = facts.map { gather(Array($0.digest.utf8)) }
        for (fact, digests) in zip(facts, all) {
            guard let rank = digests.indices.first(where: { digests[$0] != digests[0] }) else { continue }
            state.withLock { $0.hasFailed = true }
            throw FileError(path: "", reason: "rank \(rank) of \(count) has \(fact.name) than rank 0: all ranks need the same")
        }
    }
}

extension RankGroup {
    /// Adds up what the ranks have, in the order of the ranks: the sum is that of one process which adds in the same order, to the bit.
    ///
    /// It goes from rank to rank in buckets: while one of them is added to, the next is under way to this rank and the one before to the next,
    /// or back to all.
    ///
    /// - Parameters:
    ///   - sum: where it is on its way: on the first rank at the beginning what is added to, on the last at the end the result.
    ///   - buckets: parts of it in a row, the same everywhere, none of them empty.
    ///   - spreads: whether all ranks get the result; without, only the last one.
    ///   - add: adds what this rank has to a bucket.
    package func addInOrder<Element: BitwiseCopyable>(
        _ sum: UnsafeMutableBufferPointer<Element>, buckets: [Range<Int>], spreads: Bool = true, _ add: (_ bucket: Int) -> Void
    ) {
        guard let communicator else { return buckets.indices.forEach(add) }
        let memory = buckets.map { UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: sum[$0])) }
        var relay = SumRelay(communicator, spreads: spreads)
        for bucket in memory.indices {
            relay.pass(memory[bucket], before: bucket + 1 < memory.count ? memory[bucket + 1] : nil) { add(bucket) }
        }
        relay.finish()
    }

    /// The same in buckets that are known one after the other, and for all ranks.
    /// - Parameters:
    ///   - next: the memory of a bucket, as soon as this rank has all that it adds to it; nil after the last one. Meanwhile it calls ``progress()``
    ///     now and then.
    ///   - add: adds what this rank has to a bucket, or begins it on the first rank.
    package func addInOrder<Element: BitwiseCopyable>(
        next: (_ bucket: Int) -> UnsafeMutableBufferPointer<Element>?, add: (_ bucket: Int) -> Void
    ) {
        var relay = communicator.map { SumRelay($0, spreads: true) }
        var bucket = 0
        while let memory = next(bucket) {
            if relay == nil { add(bucket) } else { relay!.pass(UnsafeMutableRawBufferPointer(memory), before: nil) { add(bucket) } }
            bucket += 1
        }
        relay?.finish()
    }

    /// Lets go on what was begun, while this rank waits for something of its own.
    package func progress() {
        communicator?.progress()
    }

    /// The sums of the numbers that each rank has several rows of, added row after row in the order of the ranks.
    /// - Parameter rows: at least one, all of one length, the same everywhere.
    package func sum(_ rows: [[Double]]) -> [Double] {
        var sum = [Double](repeating: 0, count: rows[0].count)
        guard !sum.isEmpty else { return sum }
        let bucket = sum.indices
        sum.withUnsafeMutableBufferPointer { sum in
            addInOrder(sum, buckets: [bucket]) { _ in
                for (place, row) in rows.enumerated() {
                    for i in row.indices { sum[i] = isFirst && place == 0 ? row[i] : sum[i] + row[i] }
                }
            }
        }
        return sum
    }
}
