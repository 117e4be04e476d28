import Testing

@testable import Compute

@Suite struct RandomSourceTests {
    @Test func drawsAreFixedForAllTime() {
        var source = RandomSource(seed: 1, stream: RandomSource.stream(named: "crops"))
        #expect((0..<3).map { _ in source.next() } == Self.knownDraws)
    }

    @Test func streamsAndSubstreamsDiffer() {
        let root = RandomSource(seed: 7, stream: 0)
        var draws = [root, RandomSource(seed: 7, stream: 1), RandomSource(seed: 8, stream: 0), root.substream(0), root.substream(1)]
        var first: Set<UInt64> = []
        for index in draws.indices { first.insert(draws[index].next()) }
        #expect(first.count == draws.count)
    }

    @Test func normalHasTheRightQuantiles() {
        var source = RandomSource(seed: 3, stream: 0)
        let values = (0..<200_000).map { _ in source.normal() }.sorted()
        // Quantiles of the standard normal distribution; the tolerance is five standard errors of the sample quantile.
        for (probability, expected, tolerance) in [(0.001, -3.0902, 0.1), (0.05, -1.6449, 0.025), (0.5, 0, 0.015), (0.975, 1.96, 0.03)] {
            let found = Double(values[Int(probability * 200_000)])
            #expect(abs(found - expected) < tolerance, "quantile \(probability)")
        }
    }

    @Test func integersCoverTheirRangeEvenly() {
        var source = RandomSource(seed: 5, stream: 0)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[source.below(7)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
    }

    @Test func permutationHoldsEveryIndexOnce() {
        var source = RandomSource(seed: 5, stream: 1)
        let order = source.permutation(1000)
        #expect(order.sorted() == Array(0..<1000))
        #expect(order != Array(0..<1000))
    }

    @Test func fillScalesAndShifts() {
        var source = RandomSource(seed: 9, stream: 0)
        var twin = source
        var tensor = Tensor(zeros: [2, 3])
        source.fill(normal: &tensor, mean: 1, deviation: 2)
        #expect(tensor.values == (0..<6).map { _ in 1 + 2 * twin.normal() })
    }

    private static let knownDraws: [UInt64] = [11_098_145_024_391_806_728, 10_875_519_606_119_406_987, 3_685_609_582_553_545_631]
}
