import Compute
import Dispatch
import Locks
import Networks
import Ranks

/// Gradients that ranks add up while their backward passes go on: what is finished is on its way while the rest is computed.
///
/// The numbers stand in a row, in the order in which the passes finish layers, which is the same on all ranks. As soon as all gradients of a
/// rank have a bucket of them, it goes from rank to rank, on a thread that only this does. Each number is added in the order of the ranks and of
/// each rank's own gradients, so that the sum is to the bit that of one process with all of them.
final class GradientSum: Sendable {
    private let ranks: RankGroup
    private let row: Lock<Row>
    /// There may be another bucket, or nothing will follow.
    private let news = DispatchSemaphore(value: 0)
    private let isDone = DispatchSemaphore(value: 0)
    private let isOverlapping: Bool

    /// What is known of the gradients so far.
    private struct Row {
        var gradients: [GradientRow]
        var isWhole = false
        var sums: [Bucket] = []
    }

    /// How often those who wait for a layer let transfers go on that were begun.
    private static let progress = DispatchTimeInterval.milliseconds(1)

    /// - Parameters:
    ///   - count: the gradients of this rank, at least one.
    ///   - isOverlapping: whether backward passes tell the ``receiver(_:)`` what they have finished; the same on all ranks, which do nothing else
    ///     together before they have the ``sum(_:where:)``.
    init(of count: Int, _ ranks: RankGroup, isOverlapping: Bool) {
        self.ranks = ranks
        self.isOverlapping = isOverlapping && ranks.count > 1
        row = Lock(Row(gradients: Array(repeating: GradientRow(), count: count)))
        guard self.isOverlapping else { return }
        // A serial queue of its own always gets a thread, which Dispatch keeps for the next step; those that compute are of another pool, and may
        // all be busy. Dedicated threads belong to the server.
        DispatchQueue(label: "revq.gradients").async { [self] in
            exchange()
            isDone.signal()
        }
    }

    /// What the backward pass tells that makes the gradient of this place; nil where nobody waits for it.
    func receiver(_ place: Int) -> GradientReceiver? {
        guard isOverlapping else { return nil }
        return { [self] tensors in
            row.withLock { $0.gradients[place].append(tensors) }
            news.signal()
        }
    }

    /// - Parameters:
    ///   - gradients: this rank's, complete.
    ///   - moves: whether the tensor of a place in visiting order is trained. Of others the gradients are zero, and nothing is sent.
    /// - Returns: the same everywhere.
    func sum<Model: Parameterized>(_ gradients: consuming [Model], where moves: (Int) -> Bool = { _ in true }) -> Model {
        var gradients = gradients
        guard ranks.count > 1 else {
            var sum = gradients.removeFirst()
            for gradient in gradients { sum.accumulate(gradient) }
            return sum
        }
        let starts = complete(gradients.map { $0.tensors.map(\.tensor) }, moves)
        var sum = gradients[0]
        gradients = []
        if isOverlapping { isDone.wait() } else { exchange() }
        // The row lets go of the tensors, which are written in place then.
        let sums = row.withLock { row in
            row.gradients = []
            return row.sums
        }
        var index = 0
        sum.visit(.root) { _, _, tensor in
            if let start = starts[index] { Bucket.copy(sums, from: start, to: &tensor) }
            index += 1
        }
        return sum
    }

    /// Appends to the row what is not in it, and ends it.
    /// - Returns: where each tensor is in the row; nil for those that are not trained.
    private func complete(_ gradients: [[Tensor]], _ moves: (Int) -> Bool) -> [Int?] {
        let starts = row.withLock { row in
            let starts = gradients[0].indices.map { index -> Int? in
                // One that was changed after it was told of lies elsewhere in memory, and counts as it is now.
                let told = zip(row.gradients, gradients).map { $0.start(of: $1[index]) }
                if told.allSatisfy({ $0 != nil && $0 == told[0] }) { return told[0] }
                guard moves(index) else { return nil }
                let start = row.gradients[0].count
                for place in gradients.indices { row.gradients[place].append([gradients[place][index]]) }
                return start
            }
            row.isWhole = true
            return starts
        }
        news.signal()
        return starts
    }

    private func exchange() {
        ranks.addInOrder(next: next) { bucket in
            let (gradients, sum) = row.withLock { ($0.gradients, $0.sums[bucket]) }
            // Very small numbers are zero here as they are where one process adds.
            Workers.forEach(1) { _ in
                for (place, gradient) in gradients.enumerated() { gradient.add(to: sum, isFirst: ranks.isFirst && place == 0) }
            }
        }
    }

    /// Waits until all gradients of this rank have the bucket.
    private func next(_ bucket: Int) -> UnsafeMutableBufferPointer<Float>? {
        while true {
            let (found, isLast) = row.withLock { (row: inout Row) -> (Bucket?, Bool) in
                let start = bucket * Bucket.size
                let end = min(start + Bucket.size, row.gradients.map(\.count).min()!)
                guard end == start + Bucket.size || row.isWhole && end > start else { return (nil, row.isWhole) }
                row.sums.append(Bucket(start..<end))
                return (row.sums[bucket], false)
            }
            if found != nil || isLast { return found?.memory }
            if news.wait(timeout: .now() + Self.progress) == .timedOut { ranks.progress() }
        }
    }
}

extension RankGroup {
    /// Adds up gradients that are complete, see ``GradientSum``.
    func sum<Model: Parameterized>(_ gradients: consuming [Model]) -> Model {
        GradientSum(of: gradients.count, self, isOverlapping: false).sum(gradients)
    }
}

/// The numbers of one gradient that are finished, in a row.
private struct GradientRow {
    private var tensors: [Tensor] = []
    /// Where each tensor begins, and where the last one ends.
    private var starts = [0]
    private var places: [ObjectIdentifier: Int] = [:]

    var count: Int { starts.last! }

    mutating func append(_ more: [Tensor]) {
        for tensor in more {
            places[tensor.memory] = count
            tensors.append(tensor)
            starts.append(count + tensor.count)
        }
    }

    /// Nil where it is not in the row, or was changed since.
    func start(of tensor: Tensor) -> Int? { places[tensor.memory] }

    /// - Parameter isFirst: whether the bucket begins with these numbers.
    func add(to sum: Bucket, isFirst: Bool) {
        forEach(sum.numbers) { source, start, count in
            let target = sum.memory.baseAddress! + (start - sum.numbers.lowerBound)
            if isFirst { target.update(from: source, count: count) } else { for i in 0..<count { target[i] += source[i] } }
        }
    }

    /// Passes the stretches of tensors that lie in `range`, each with its place in the row.
    private func forEach(_ range: Range<Int>, _ body: (UnsafePointer<Float>, _ start: Int, _ count: Int) -> Void) {
        for (tensor, start) in zip(tensors, starts) {
            let part = range.clamped(to: start..<start + tensor.count)
            guard !part.isEmpty else { continue }
            tensor.withPointer { body($0 + (part.lowerBound - start), part.lowerBound, part.count) }
        }
    }
}

/// What goes from rank to rank together, at an address that does not change while it does.
///
/// `@unchecked Sendable`: written by the thread that adds, read by others after it has ended.
private final class Bucket: @unchecked Sendable {
    /// 1 MiB, large beside what a message costs and small beside a network's gradient.
    static let size = 1 << 18

    /// Of the row.
    let numbers: Range<Int>
    let memory: UnsafeMutableBufferPointer<Float>

    init(_ numbers: Range<Int>) {
        self.numbers = numbers
        memory = .allocate(capacity: numbers.count)
    }

    deinit { memory.deallocate() }

    /// Fills a tensor from the row that begins with the first bucket.
    static func copy(_ buckets: [Bucket], from start: Int, to tensor: inout Tensor) {
        let count = tensor.count
        tensor.withMutablePointer { target in
            var done = 0
            while done < count {
                let (bucket, offset) = (start + done).quotientAndRemainder(dividingBy: size)
                let some = min(count - done, size - offset)
                (target + done).update(from: buckets[bucket].memory.baseAddress! + offset, count: some)
                done += some
            }
        }
    }
}
