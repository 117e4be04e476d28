import Compute
import Networks
import Ranks

extension RankGroup {
    /// Numbers of a bucket: 1 MiB, large beside what a message costs and small beside a network's gradient.
    private static let bucket = 1 << 18

    /// Adds up the gradients that all ranks have, in the order of the ranks and of each rank's own.
    ///
    /// Since the order is fixed, the sum is to the bit that of one process with all of them.
    ///
    /// - Parameter gradients: this rank's, at least one.
    /// - Returns: the same everywhere.
    func sum<Model: Parameterized>(_ gradients: consuming [Model]) -> Model {
        var gradients = gradients
        guard count > 1 else {
            var sum = gradients.removeFirst()
            for gradient in gradients { sum.accumulate(gradient) }
            return sum
        }
        let rows = gradients.map { FlatParameters($0) }
        var sum = gradients[0]
        gradients = []
        var flat = [Float](repeating: 0, count: rows[0].count)
        let buckets = stride(from: 0, to: flat.count, by: Self.bucket).map { $0..<min($0 + Self.bucket, flat.count) }
        flat.withUnsafeMutableBufferPointer { flat in
            addInOrder(flat, buckets: buckets) { bucket in
                let numbers = buckets[bucket]
                for (place, row) in rows.enumerated() {
                    if isFirst && place == 0 { row.copy(numbers, to: flat) } else { row.add(numbers, to: flat) }
                }
            }
        }
        var start = 0
        sum.visit(.root) { _, _, tensor in
            let count = tensor.count
            flat.withUnsafeBufferPointer { flat in tensor.withMutablePointer { $0.update(from: flat.baseAddress! + start, count: count) } }
            start += count
        }
        return sum
    }
}

/// All numbers of a model in a row, in visiting order.
private struct FlatParameters {
    private let tensors: [Tensor]
    /// Where each tensor begins, and where the last one ends.
    private let starts: [Int]

    init(_ model: some Parameterized) {
        tensors = model.tensors.map(\.tensor)
        starts = tensors.reduce(into: [0]) { $0.append($0.last! + $1.count) }
    }

    var count: Int { starts.last! }

    func copy(_ range: Range<Int>, to flat: UnsafeMutableBufferPointer<Float>) {
        forEach(range) { source, start, count in (flat.baseAddress! + start).update(from: source, count: count) }
    }

    func add(_ range: Range<Int>, to flat: UnsafeMutableBufferPointer<Float>) {
        forEach(range) { source, start, count in
            for i in 0..<count { flat[start + i] += source[i] }
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
