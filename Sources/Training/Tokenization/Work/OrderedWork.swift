import Compute
import Dispatch
import Files
import Locks
import Synchronization

/// Pieces of work done on several threads, whose results are taken one after the other, in order, on the calling thread.
///
/// Each thread does all there is to do for one piece, so that no stage waits for another and every core has work as long as there is any.
/// A piece may begin only while fewer than ``window`` results wait to be taken, which bounds the memory.
struct OrderedWork {
    let threads, window: Int
    /// What the threads compute in.
    let context: ComputeContext

    /// - Parameters:
    ///   - isStopRequested: asked before every piece; pieces that have begun are finished and taken.
    ///   - work: called from several threads at once.
    ///   - take: takes the result of piece 0, 1, 2 …
    /// - Returns: how many were taken; fewer than `count` only after a stop.
    /// - Throws: what `take` throws; no more is taken then.
    func run<Result: Sendable>(
        _ count: Int, isStopRequested: @escaping @Sendable () -> Bool, work: @escaping @Sendable (Int) -> Result,
        take: (Int, Result) throws(FileError) -> Void
    ) throws(FileError) -> Int {
        let line = ResultLine<Result>(count: count, window: window, threads: threads)
        for _ in 0..<threads {
            DispatchQueue(label: "revq.work").async { [context] in
                context.run {
                    while let piece = line.next(isStopRequested) { line.deliver(work(piece), of: piece) }
                }
            }
        }
        var (taken, failure) = (0, nil as FileError?)
        while let result = line.result(of: taken) {
            // After a failure only the threads are waited for.
            guard failure == nil else {
                taken += 1
                continue
            }
            do throws(FileError) {
                try take(taken, result)
            } catch {
                failure = error
                line.close()
            }
            taken += 1
        }
        if let failure { throw failure }
        return taken
    }
}

/// Results between the threads that make them and the one that takes them.
private final class ResultLine<Result: Sendable>: Sendable {
    private let count: Int
    private let places: Lock<[Result?]>
    /// One for each place: whether there is something in it, or never will be.
    private let filled: [DispatchSemaphore]
    private let free: DispatchSemaphore
    private let begun = Atomic(0), closed = Atomic(false), running: Atomic<Int>

    init(count: Int, window: Int, threads: Int) {
        self.count = count
        // One more, for the sign that there are no more results.
        places = Lock(Array(repeating: nil, count: window + 1))
        filled = (0...window).map { _ in DispatchSemaphore(value: 0) }
        free = DispatchSemaphore(value: window)
        running = Atomic(threads)
    }

    /// The next piece for a thread; nil when there is none, or shall be none.
    func next(_ isStopRequested: () -> Bool) -> Int? {
        free.wait()
        if !closed.load(ordering: .relaxed), !isStopRequested() {
            let piece = begun.wrappingAdd(1, ordering: .relaxed).oldValue
            if piece < count { return piece }
            begun.wrappingSubtract(1, ordering: .relaxed)
        }
        free.signal()
        // The last thread leaves nothing behind the last result that was begun.
        if running.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            filled[begun.load(ordering: .relaxed) % filled.count].signal()
        }
        return nil
    }

    func deliver(_ result: Result, of piece: Int) {
        let place = piece % filled.count
        places.withLock { $0[place] = result }
        filled[place].signal()
    }

    /// Waits for a result; nil when no thread will make it.
    func result(of piece: Int) -> Result? {
        let place = piece % filled.count
        filled[place].wait()
        let result = places.withLock { places in
            defer { places[place] = nil }
            return places[place]
        }
        if result != nil { free.signal() }
        return result
    }

    /// No thread begins another piece.
    func close() { closed.store(true, ordering: .relaxed) }
}
