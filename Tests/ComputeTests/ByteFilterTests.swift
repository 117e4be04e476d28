import TestSupport
import Testing

@testable import Compute

@Suite struct ByteFilterTests {
    /// What one byte of a result must be.
    private func byte(_ terms: [(byte: UInt8, weight: Int32)]) -> UInt8 {
        let sum = terms.reduce(1 << 21) { $0 + Int($1.byte) * Int($1.weight) }
        return UInt8(min(max(sum >> 22, 0), 255))
    }

    /// `count` weights of either sign that add up to about 1.
    private func someWeights(_ count: Int, _ random: inout TestRandom) -> [Int32] {
        (0..<count).map { _ in Int32((Double.random(in: -1...2, using: &random)) / Double(count) * 0x1p22) }
    }

    private func byteFilter(_ set: InstructionSet) -> ByteFilter {
        ComputeContext.with(\.instructionSet, set) { ByteFilter() }
    }

    @Test("The sum of rows is that of exact arithmetic, and nothing beyond a row is touched", arguments: InstructionSet.supported)
    func rows(_ set: InstructionSet) {
        var random = TestRandom(seed: 1)
        for (rowBytes, ring) in [(1, 1), (3, 2), (7, 3), (16, 5), (63, 4), (64, 3), (65, 7), (200, 61)] {
            let rows = (0..<rowBytes * ring).map { _ in UInt8(random.next() & 255) }
            for first in [0, ring - 1] {
                let weights = someWeights(ring, &random)
                var result = [UInt8](repeating: 7, count: rowBytes + 1)
                weights.withUnsafeBufferPointer {
                    byteFilter(set).sum(rows, rowBytes: rowBytes, ring: ring, first: first, weights: $0, to: &result)
                }
                let expected = (0..<rowBytes).map { i in
                    byte(weights.enumerated().map { (rows[(first + $0.offset) % ring * rowBytes + i], $0.element) })
                }
                #expect(result == expected + [7], "\(ring) rows of \(rowBytes) from \(first)")
            }
        }
    }

    @Test("A row resized along itself is that of exact arithmetic", arguments: InstructionSet.supported)
    func columns(_ set: InstructionSet) {
        var random = TestRandom(seed: 2)
        for taps in [1, 2, 3, 4, 5, 7, 8, 9, 20] {
            let source = (0..<3 * 20).map { _ in UInt8(random.next() & 255) }
            let counts = (0..<15).map { _ in 1 + Int(random.next() % UInt64(taps)) }
            // The last one ends with the row: what lies behind it may not be read.
            let starts = counts.enumerated().map { $0.offset == 14 ? 20 - $0.element : Int(random.next() % UInt64(21 - $0.element)) }
            let weights = someWeights(15 * taps, &random)
            var result = [UInt8](repeating: 7, count: 3 * 15 + 1)
            ComputeContext.with(\.instructionSet, set) {
                PixelFilter(starts: starts, counts: counts, weights: weights, taps: taps).resize(source, to: &result)
            }
            let expected = (0..<45).map { i in
                byte((0..<counts[i / 3]).map { (source[3 * (starts[i / 3] + $0) + i % 3], weights[i / 3 * taps + $0]) })
            }
            #expect(result == expected + [7], "\(taps) taps")
        }
    }
}
