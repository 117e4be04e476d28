import Ranks
import Threads

/// Several ranks in one process, each on a thread of its own, for tests of what ranks do together.
package enum InProcessRanks {
    /// What every rank's `body` gives, by rank.
    /// - Parameter watch: sees each transfer that a rank begins.
    package static func run<R: Sendable>(
        _ count: Int, watch: @escaping @Sendable (_ rank: Int, Transfer) -> Void = { _, _ in },
        _ body: @escaping @Sendable (RankGroup) throws -> R
    ) throws -> [Result<R, any Error>] {
        let post = Post()
        let results = Monitor([Result<R, any Error>?](repeating: nil, count: count))
        let threads = try (0..<count).map { rank in
            try DedicatedThread {
                let group = RankGroup(InProcessCommunicator(rank: rank, count: count, post: post, watch: watch))
                let result = Result { try body(group) }
                results.withLock { $0[rank] = result }
            }
        }
        for thread in threads { thread.join() }
        return results.withLock { $0.map { $0! } }
    }
}

/// What is under way between two ranks, oldest first.
private final class Post: Sendable {
    struct Way: Hashable {
        let from, to: Int
        let isBroadcast: Bool
    }

    private let letters = Monitor<[Way: [[UInt8]]]>([:])

    func send(_ bytes: UnsafeRawBufferPointer, _ way: Way) {
        let letter = Array(bytes)
        letters.withLock { $0[way, default: []].append(letter) }
    }

    func receive(_ bytes: UnsafeMutableRawBufferPointer, _ way: Way) {
        let letter = letters.wait { $0[way]?.isEmpty ?? true ? .wait(until: nil) : .done($0[way]!.removeFirst()) }
        precondition(letter.count == bytes.count, "\(letter.count) bytes came where \(bytes.count) were expected")
        bytes.copyBytes(from: letter)
    }
}

private struct InProcessCommunicator: Communicator {
    let rank, count: Int
    let post: Post
    let watch: @Sendable (Int, Transfer) -> Void

    func begin(_ transfer: Transfer) -> () -> Void {
        watch(rank, transfer)
        switch transfer {
        case .send(let bytes, let to):
            post.send(bytes, .init(from: rank, to: to, isBroadcast: false))
            return {}
        case .receive(let bytes, let from): return { post.receive(bytes, .init(from: from, to: rank, isBroadcast: false)) }
        case .broadcast(let bytes, let from):
            guard from == rank else { return { post.receive(bytes, .init(from: from, to: rank, isBroadcast: true)) } }
            for to in 0..<count where to != rank { post.send(UnsafeRawBufferPointer(bytes), .init(from: rank, to: to, isBroadcast: true)) }
            return {}
        }
    }

    /// What is sent is there at once.
    func progress() {}

    func abort(status: Int32) -> Never { fatalError("rank \(rank) ended the others with \(status)") }

    func leave() {}
}
