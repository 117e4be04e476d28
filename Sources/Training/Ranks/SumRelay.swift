/// A sum on its way from rank to rank, bucket after bucket: while one is added to here, the one before goes on to the next rank, or, complete,
/// back to all.
struct SumRelay {
    private let communicator: any Communicator
    private let spreads: Bool
    /// Waits for the next bucket, where it is known.
    private var incoming: (() -> Void)?
    /// What was sent on last, and waits for it to have gone.
    private var passed: (bucket: UnsafeMutableRawBufferPointer, wait: () -> Void)?
    private var returning: [() -> Void] = []

    /// - Parameter spreads: whether all ranks get the sum; without, only the last one.
    init(_ communicator: any Communicator, spreads: Bool) {
        (self.communicator, self.spreads) = (communicator, spreads)
    }

    private var last: Int { communicator.count - 1 }

    /// - Parameters:
    ///   - bucket: what the ranks before have added up arrives here; the first rank begins with what is there.
    ///   - next: the one that will follow, where it is known: it arrives while this one is added to.
    ///   - add: adds what this rank has.
    mutating func pass(_ bucket: UnsafeMutableRawBufferPointer, before next: UnsafeMutableRawBufferPointer?, _ add: () -> Void) {
        let arrived = incoming ?? arriving(bucket)
        arrived?()
        incoming = next.flatMap(arriving)
        add()
        spreadPassed()
        passed = (bucket, communicator.rank < last ? communicator.begin(.send(UnsafeRawBufferPointer(bucket), to: communicator.rank + 1)) : {})
    }

    /// Waits until all buckets are where they belong.
    mutating func finish() {
        spreadPassed()
        for wait in returning { wait() }
    }

    private func arriving(_ bucket: UnsafeMutableRawBufferPointer) -> (() -> Void)? {
        communicator.rank > 0 ? communicator.begin(.receive(bucket, from: communicator.rank - 1)) : nil
    }

    /// Its memory is free for the sum, which comes back from the last rank.
    private mutating func spreadPassed() {
        guard let passed else { return }
        passed.wait()
        if spreads { returning.append(communicator.begin(.broadcast(passed.bucket, from: last))) }
        self.passed = nil
    }
}
