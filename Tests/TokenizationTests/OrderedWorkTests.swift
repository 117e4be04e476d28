import Synchronization
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Tokenization

@Suite struct OrderedWorkTests {
    private func work(threads: Int, window: Int) -> OrderedWork { OrderedWork(threads: threads, window: window, context: ComputeContext()) }

    @Test(arguments: [1, 2, 7], [1, 2, 16])
    func resultsComeInOrder(threads: Int, window: Int) throws {
        for count in [0, 1, 2, 100] {
            var taken: [Int] = []
            let done = try work(threads: threads, window: window).run(count, isStopRequested: { false }, work: { $0 * $0 }) { taken.append($1 - $0) }
            #expect(done == count && taken == (0..<count).map { $0 * $0 - $0 })
        }
    }

    /// What has begun is finished and taken, and nothing is between.
    @Test(arguments: [1, 3])
    func aStopTakesWhatHasBegun(threads: Int) throws {
        let begun = Atomic(0)
        let countdown = Countdown(10)
        var taken: [Int] = []
        let done = try work(threads: threads, window: 4).run(1000, isStopRequested: { countdown.isOver }) { piece in
            begun.add(1, ordering: .relaxed)
            return piece
        } take: {
            taken.append($1)
        }
        #expect(done == begun.load(ordering: .relaxed) && done == 10 && taken == Array(0..<done))
    }

    @Test func aFailureToTakeEndsTheWork() throws {
        let begun = Atomic(0)
        let failure = FileError(path: "x", reason: "full")
        #expect(throws: failure) {
            try work(threads: 3, window: 4).run(1000, isStopRequested: { false }) { _ in
                begun.add(1, ordering: .relaxed)
            } take: {
                piece, _ throws(FileError) in
                if piece == 5 { throw failure }
            }
        }
        #expect(begun.load(ordering: .relaxed) < 1000)
    }

    /// Two at once, and one after them.
    @Test func equalContentsAreComputedOnce() throws {
        try withScratchFolder { folder in
            let cache = ContentCache(try TokenJournal(folder + "/journal"))
            let key = ContentKey(FileDigest(contents: [1]))
            let computed = Atomic(0)
            let gate = Gate()
            let encoded = PictureEncoder.Encoded(width: 8, height: 16, tokens: [1, 2, 3])
            var answers: [ContentCache.Answer] = []
            _ = try work(threads: 2, window: 4).run(3, isStopRequested: { false }) { piece in
                if piece == 1 { gate.open() }
                return Result<ContentCache.Answer, FileError> { () throws(FileError) in
                    try cache.answer(key) {
                        computed.add(1, ordering: .relaxed)
                        gate.pass()
                        return .success(encoded)
                    }
                }
            } take: { _, answer throws(FileError) in
                answers.append(try answer.get())
            }
            #expect(computed.load(ordering: .relaxed) == 1)
            #expect(answers == [.success(encoded), .success(encoded), .success(encoded)])
        }
    }
}

@Suite struct TokenJournalTests {
    private func encoded(_ n: Int) -> PictureEncoder.Encoded {
        PictureEncoder.Encoded(width: n, height: 2 * n, tokens: (0..<Int32(n)).map { $0 * 70_000 })
    }
    private func key(_ n: UInt8) -> ContentKey { ContentKey(FileDigest(contents: [n])) }

    @Test func whatWasCutOffOrDamagedIsDropped() throws {
        try withScratchFolder { folder in
            let path = folder + "/journal"
            do {
                let journal = try TokenJournal(path)
                for n in 1...3 { try journal.append(encoded(n), of: key(UInt8(n))) }
            }
            let bytes = try StoredFile.read(path)
            let third = bytes.count - (16 + 32 + 12 + 8)
            for change in [third, third + 1, third + 20, third + 50, bytes.count - 1] {
                try StoredFile.write(Array(bytes[..<change]), to: path)
                let journal = try TokenJournal(path)
                #expect(journal.count == 2)
                #expect(try journal.encoded(key(1)) == encoded(1) && journal.encoded(key(2)) == encoded(2) && journal.encoded(key(3)) == nil)
                try journal.append(encoded(3), of: key(3))
                #expect(try StoredFile.read(path) == bytes && journal.encoded(key(3)) == encoded(3))
                var damaged = bytes
                damaged[min(change, bytes.count - 1)] ^= 4
                try StoredFile.write(damaged, to: path)
                #expect(try TokenJournal(path).count == 2)
            }
        }
    }

    @Test func keysSurviveBeingStored() {
        let key = key(9)
        #expect(ContentKey(key.stored[...]) == key && key.stored.count == ContentKey.bytes)
        #expect(ContentKey(sha256: "x") == nil && ContentKey(sha256: String(repeating: "G", count: 64)) == nil)
        #expect(ContentKey(sha256: String(repeating: "0", count: 62) + "1f")!.stored == [UInt8](repeating: 0, count: 31) + [0x1F])
    }
}
