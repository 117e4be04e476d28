import TestSupport
import Testing

@testable import Service

@Suite struct BatchCostTests {
    private func cost(perItem: Double, perBatch: Double, sizes: [Int]) -> BatchCost {
        var cost = BatchCost()
        for size in sizes { cost.record(items: size, duration: .seconds(perItem * Double(size) + perBatch)) }
        return cost
    }

    @Test func findsTheLine() throws {
        let line = try #require(cost(perItem: 0.02, perBatch: 0.005, sizes: [1, 8, 3, 1, 5]).line)
        #expect(abs(line.perItem - 0.02) < 1e-9 && abs(line.perBatch - 0.005) < 1e-9)
    }

    @Test func knowsNothingFromOneSize() {
        let cost = cost(perItem: 0.02, perBatch: 0.005, sizes: [4, 4, 4])
        #expect(cost.line == nil)
        #expect(cost.preferredBatch(atMost: 8) == 8)
        #expect(BatchCost().preferredBatch(atMost: 8) == 8)
    }

    /// Within 2 % of the cost of an item in the largest batch.
    @Test(arguments: [(0.0, 1), (0.0001, 1), (0.001, 2), (0.02, 7), (2.0, 8)])
    func prefersTheSmallestBatchThatIsAsGood(perBatch: Double, expected: Int) {
        #expect(cost(perItem: 0.02, perBatch: perBatch, sizes: [1, 8, 2, 4]).preferredBatch(atMost: 8) == expected)
    }

    @Test func aBatchThatCostsMoreThanItsItemsIsNeverFormed() {
        #expect(cost(perItem: 0.02, perBatch: -0.005, sizes: [1, 8, 2, 4]).preferredBatch(atMost: 8) == 1)
    }

    @Test func nowAndThenTriesALargeOne() {
        var cost = cost(perItem: 0.02, perBatch: 0, sizes: [1, 8])
        var sizes: [Int] = []
        for _ in 0..<32 {
            sizes.append(cost.batch(atMost: 8))
            cost.record(items: sizes.last!, duration: .seconds(0.02 * Double(sizes.last!)))
        }
        #expect(sizes.count { $0 == 8 } == 2 && sizes.count { $0 == 1 } == 30)
    }

    @Test func followsAChange() {
        var cost = cost(perItem: 0.02, perBatch: 0, sizes: (0..<100).map { $0 % 16 == 15 ? 8 : 1 })
        #expect(cost.preferredBatch(atMost: 8) == 1)
        for size in (0..<300).map({ $0 % 16 == 15 ? 8 : 1 }) { cost.record(items: size, duration: .seconds(0.02 * Double(size) + 0.05)) }
        #expect(cost.preferredBatch(atMost: 8) == 8)
    }
}

@Suite struct ServicePaceTests {
    private let start = ContinuousClock.now

    @Test func answersThatComeInBatchesCountAsOften() {
        var pace = ServicePace()
        for second in 0..<200 { for _ in 0..<8 { pace.recordEnd(isBusy: true, now: start + .seconds(second)) } }
        #expect(abs(pace.secondsPerItem - 0.125) < 0.01)
    }

    @Test func idleTimesDoNotCount() {
        var pace = ServicePace()
        for hour in 0..<200 {
            pace.recordEnd(isBusy: true, now: start + .seconds(hour * 3_600))
            pace.recordEnd(isBusy: false, now: start + .seconds(hour * 3_600 + 1))
        }
        #expect(abs(pace.secondsPerItem - 1) < 0.02)
        #expect(abs(pace.time(toServe: 3) / .seconds(1) - 3) < 0.06)
    }

    @Test func nobodyIsSentAwayForLongerThanAMinute() {
        var schedule = RetrySchedule()
        let waits = (0..<200).map { _ in schedule.next(after: .seconds(1), spacing: 1, now: start) }
        #expect(waits.first == .seconds(1) && waits.max() == .seconds(60))
    }
}
