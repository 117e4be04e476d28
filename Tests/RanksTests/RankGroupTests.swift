import TestSupport
import Testing

@testable import Files
@testable import Ranks

@Suite struct RankGroupTests {
    /// Numbers whose sum depends on the order.
    private static func numbers(_ row: Int) -> [Float] { (0..<10).map { Float(1 + row * 7 + $0) / 3 * (row % 2 == 0 ? 1e6 : 1e-3) } }

    @Test(arguments: [1, 2, 3, 4], [1, 3, 10])
    func sumsAreThoseOfOneProcess(count: Int, bucket: Int) throws {
        let rows = 4
        let expected = (1..<rows).reduce(into: Self.numbers(0)) { sum, row in
            for i in sum.indices { sum[i] += Self.numbers(row)[i] }
        }
        let buckets = stride(from: 0, to: 10, by: bucket).map { $0..<min($0 + bucket, 10) }
        let sums = try InProcessRanks.run(count) { ranks in
            var sum = ranks.isFirst ? Self.numbers(0) : [Float](repeating: .nan, count: 10)
            sum.withUnsafeMutableBufferPointer { sum in
                ranks.addInOrder(sum, buckets: buckets) { bucket in
                    for row in ranks.share(of: rows) where row > 0 { for i in buckets[bucket] { sum[i] += Self.numbers(row)[i] } }
                }
            }
            return sum
        }
        for sum in sums { #expect(try sum.get() == expected) }
    }

    /// Each bucket in a memory of its own, which nobody knows before it is asked for.
    @Test(arguments: [1, 2, 4], [0, 1, 3])
    func bucketsMayComeOneAfterTheOther(count: Int, buckets: Int) throws {
        let found = try InProcessRanks.run(count) { ranks in
            var memory = [UnsafeMutableBufferPointer<Float>]()
            defer { for bucket in memory { bucket.deallocate() } }
            ranks.addInOrder { place -> UnsafeMutableBufferPointer<Float>? in
                ranks.progress()
                guard place < buckets else { return nil }
                memory.append(.allocate(capacity: 10))
                return memory[place]
            } add: { place in
                let own = Self.numbers(ranks.rank + place)
                for i in 0..<10 { memory[place][i] = ranks.isFirst ? own[i] : memory[place][i] + own[i] }
            }
            return memory.map { Array($0) }
        }
        let expected = (0..<buckets).map { place in
            (1..<count).reduce(into: Self.numbers(place)) { sum, rank in for i in 0..<10 { sum[i] += Self.numbers(rank + place)[i] } }
        }
        for sums in found { #expect(try sums.get() == expected) }
    }

    @Test func rowsAreAddedInTheOrderOfTheRanks() throws {
        let rows = (0..<5).map { Self.numbers($0).map { Double($0) } }
        let expected = rows.dropFirst().reduce(rows[0]) { zip($0, $1).map(+) }
        for count in 1...5 {
            let sums = try InProcessRanks.run(count) { ranks in ranks.sum(Array(rows[ranks.share(of: 5)])) }
            for sum in sums { #expect(try sum.get() == expected) }
        }
    }

    /// Also where some have nothing to do.
    @Test(arguments: [1, 2, 7])
    func sharesAreComplete(things: Int) throws {
        let found = try InProcessRanks.run(4) { ranks in
            var values = [Int32](repeating: -1, count: things * 3)
            for place in ranks.share(of: things) { for i in 0..<3 { values[place * 3 + i] = Int32(place * 3 + i) } }
            values.withUnsafeMutableBufferPointer { ranks.complete($0, sharedBy: things) }
            return values
        }
        for values in found { #expect(try values.get() == (0..<Int32(things * 3)).map { $0 }) }
    }

    /// All are under way before any is waited for.
    @Test func unequalSharesAreComplete() throws {
        let shares = [0..<1, 1..<1, 1..<6]
        let begun = Mailbox<Int>()
        let found = try InProcessRanks.run(3) { rank, _ in
            if rank == 1 { begun.post(rank) }
        } _: { ranks in
            var values = [Int32](repeating: -1, count: 6)
            for place in shares[ranks.rank] { values[place] = Int32(place) }
            // The first gives nothing before the second, which has nothing to give, takes from both others.
            if ranks.isFirst { #expect(begun.take() != nil && begun.take() != nil) }
            values.withUnsafeMutableBufferPointer { ranks.complete($0, shares: shares) }
            return values
        }
        for values in found { #expect(try values.get() == [0, 1, 2, 3, 4, 5]) }
    }

    @Test func ranksTellEachOther() throws {
        let found = try InProcessRanks.run(3) { ranks in
            (
                ranks.gather([UInt8](repeating: UInt8(ranks.rank), count: ranks.rank)), ranks.highest(10 - ranks.rank), ranks.any(ranks.rank == 1),
                ranks.any(false), try ranks.decided { () throws(FileError) in 7 + ranks.rank }
            )
        }
        for told in try found.map({ try $0.get() }) {
            #expect(told.0 == [[], [1], [2, 2]] && told.1 == 10 && told.2 && !told.3 && told.4 == 7)
        }
    }

    @Test func whatFailsOnOneFailsOnAllForItsReason() throws {
        let ended = try InProcessRanks.run(3) { ranks -> String in
            let reason = { () -> String in
                do throws(FileError) {
                    return try ranks.together { () throws(FileError) in
                        if ranks.rank > 0 { throw FileError("/data", "is not there for \(ranks.rank)") }
                        return "went well"
                    }
                } catch { return error.reason }
            }()
            return "\(reason) \(ranks.hasFailedTogether)"
        }
        for text in ended { #expect(try text.get() == "rank 1 of 3: /data: is not there for 1 true") }
    }

    @Test func whatDiffersIsNamedWithTheRankThatHasIt() throws {
        let ended = try InProcessRanks.run(3) { ranks -> String in
            do throws(FileError) {
                try ranks.agree(on: [("another build", "a"), ("other options", ranks.rank == 2 ? "b" : "a")])
                return "agreed"
            } catch { return error.reason }
        }
        for text in ended { #expect(try text.get() == "rank 2 of 3 has other options than rank 0: all ranks need the same") }
    }

    @Test(
        arguments: [
            ([:], false), (["OMPI_COMM_WORLD_SIZE": "1", "PMIX_RANK": "0"], false), (["OMPI_COMM_WORLD_SIZE": "4"], true),
            (["PMIX_RANK": "2", "SLURM_NTASKS": "8"], true), (["PMIX_RANK": "0", "SLURM_NTASKS": "1"], false), (["SLURM_NTASKS": "8"], false),
        ] as [([String: String], Bool)])
    func aLauncherAnnouncesOthers(environment: [String: String], expected: Bool) {
        #expect(RankedJob.isAnnounced { environment[$0] } == expected)
    }
}
